//! The account rules, as one table: `docs/sign-in-with.md` shows it as this test prints it.

use authd::config::LinkByEmail;
use authd::domain::email::Email;
use authd::domain::identity::{Claimed, IdentityKey, ProviderProof, StatedEmail};
use authd::domain::name::Name;
use authd::usecase::federation::rules::{Facts, Known, Local, SignUp, Stated, Verdict, Why, judge};

const PAGE: &str = "docs/sign-in-with.md";
const BEGIN: &str = "<!-- account rules -->\n";
const END: &str = "<!-- end of account rules -->\n";

/// What a cell says of an account with or without a second factor.
fn outcome(verdict: Verdict, second_factor: bool) -> &'static str {
    match (verdict, second_factor && verdict.asks_second_factor()) {
        (Verdict::SignIn, false) => "signs in",
        (Verdict::SignIn, true) => "second step",
        (Verdict::Link, false) => "links, signs in",
        (Verdict::Link, true) => "links, second step",
        (Verdict::Claim, _) => "claims, signs in",
        (Verdict::SignUp, _) => "new account",
        (Verdict::Confirm, _) => "mail first",
        (Verdict::Refuse(Why::LinkRequired), _) => "`link_required`",
        (Verdict::Refuse(Why::EmailRequired), _) => "`email_required`",
        (Verdict::Refuse(Why::RegistrationClosed), _) => "`registration_closed`",
    }
}

const KNOWN: [(Known, &str); 3] =
    [(Known::New, "new"), (Known::LinkedHere, "linked here"), (Known::LinkedElsewhere, "linked elsewhere")];
const LOCAL: [(Local, &str); 3] =
    [(Local::None, "none"), (Local::Unverified, "unverified"), (Local::Verified, "verified")];
const STATED: [(Stated, &str); 4] = [
    (Stated::Nothing, "none"),
    (Stated::Unverified, "unverified"),
    (Stated::Verified, "verified"),
    (Stated::Authoritative, "verified, and its to say"),
];

fn table() -> String {
    let mut text = String::from(
        "| identity | account with the address | address stated | second factor | open, never | open, verified | \
         closed, never | closed, verified |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (known, known_name) in KNOWN {
        for (local, local_name) in LOCAL {
            for (stated, stated_name) in STATED {
                // Without an address no account has it, nor is the identity linked to that.
                let can_be = (local == Local::None || stated != Stated::Nothing)
                    && (known != Known::LinkedHere || local != Local::None);
                for second_factor in [false, true] {
                    // Only somebody's own account has one: not that of nobody.
                    let has_account = known != Known::New || local != Local::None;
                    if !can_be || (second_factor && !has_account) {
                        continue;
                    }
                    let cell = |sign_up, link_by_email| {
                        let facts = Facts { known, local, stated, sign_up, link_by_email };
                        outcome(judge(facts), second_factor)
                    };
                    let cells = [
                        cell(SignUp::Open, LinkByEmail::Never),
                        cell(SignUp::Open, LinkByEmail::Verified),
                        cell(SignUp::Closed, LinkByEmail::Never),
                        cell(SignUp::Closed, LinkByEmail::Verified),
                    ];
                    let factor = if second_factor { "on" } else { "off" };
                    text += &format!(
                        "| {known_name} | {local_name} | {stated_name} | {factor} | {} |\n",
                        cells.join(" | ")
                    );
                }
            }
        }
    }
    text
}

#[test]
fn the_page_shows_every_cell() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the rules");
    let after = rest.split_once(END).map_or(rest, |(_, after)| after);
    let wanted = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(page, wanted, "run it with UPDATE_GOLDEN=1, and read the difference");
    }
}

/// What must hold of every cell, whatever the table says.
#[test]
fn no_cell_lets_an_address_in_that_its_provider_can_not_vouch_for() {
    for (local, _) in LOCAL {
        for (stated, _) in STATED {
            for sign_up in [SignUp::Open, SignUp::Closed] {
                for link_by_email in [LinkByEmail::Never, LinkByEmail::Verified] {
                    let facts = Facts { known: Known::New, local, stated, sign_up, link_by_email };
                    let verdict = judge(facts);
                    let takes = matches!(verdict, Verdict::Link | Verdict::Claim);
                    let vouched = stated == Stated::Authoritative && link_by_email == LinkByEmail::Verified;
                    assert_eq!(takes, vouched && local != Local::None, "{facts:?}: {verdict:?}");
                    assert_eq!(verdict == Verdict::Claim, takes && local == Local::Unverified, "{facts:?}");
                    let makes = matches!(verdict, Verdict::SignUp | Verdict::Confirm);
                    // Of an address that is not verified nobody learns whether it has an account.
                    let may = sign_up == SignUp::Open
                        && (stated == Stated::Unverified
                            || (local == Local::None && stated != Stated::Nothing));
                    assert_eq!(makes, may, "{facts:?}");
                    assert_eq!(verdict == Verdict::Confirm, may && stated == Stated::Unverified, "{facts:?}");
                    assert_ne!(verdict, Verdict::SignIn, "it is nobody's: {facts:?}");
                }
            }
        }
    }
}

#[test]
fn of_an_address_that_is_not_verified_nobody_is_believed() {
    let said = |verified, authoritative| {
        Stated::of(&Claimed {
            key: IdentityKey { issuer: "https://id.acme.example".into(), subject: "42".into() },
            email: Some(StatedEmail {
                email: Email::parse("ann@example.com").unwrap(),
                verified,
                authoritative,
            }),
            name: Name::default(),
            proof: ProviderProof::default(),
            groups: Vec::new(),
        })
    };
    let all = [said(false, false), said(false, true), said(true, false), said(true, true)];
    assert_eq!(all, [Stated::Unverified, Stated::Unverified, Stated::Verified, Stated::Authoritative]);
}
