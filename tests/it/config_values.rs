//! Good values of every kind of setting, drawn at random.

use authd::config::Kind;
use proptest::prelude::*;

/// Good values of a kind, as the environment takes them.
pub fn value_of(kind: Kind) -> BoxedStrategy<String> {
    let span = |least: u64| (least..100_000_000).prop_map(|secs| format!("{secs}s")).boxed();
    let host = "[a-z]{1,8}(\\.[a-z]{2,5}){0,2}";
    let url = move || (host, 1..u16::MAX).prop_map(|(host, port)| format!("https://{host}:{port}"));
    match kind {
        Kind::Bool => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        Kind::Count(least, most) => (least..=most).prop_map(|number| number.to_string()).boxed(),
        Kind::Span(least) => span(least),
        Kind::Rate => {
            (1..u32::MAX, span(1)).prop_map(|(events, window)| format!("{events}/{window}")).boxed()
        }
        Kind::Choice(choices) => proptest::sample::select(choices).prop_map(str::to_owned).boxed(),
        Kind::Text => "\\PC{0,20}[a-zäß\"'\\\\#=,]".boxed(),
        Kind::OptionalText => "\\PC{0,20}".boxed(),
        // A server would want other settings, too.
        Kind::Path | Kind::Database => "[a-z ./\"'\\\\é]{0,20}[a-z]".boxed(),
        Kind::OptionalPath | Kind::SecretFile => "([a-z ./\"'\\\\é]{0,20}[a-z])?".boxed(),
        Kind::Listen => prop_oneof![
            Just("systemd".to_owned()),
            "unix:[a-z/.]{0,10}[a-z]",
            any::<std::net::SocketAddrV4>().prop_map(|address| address.to_string())
        ]
        .boxed(),
        Kind::OptionalAddress => {
            any::<std::net::SocketAddrV6>().prop_map(|address| address.to_string()).boxed()
        }
        Kind::Mailbox => "[A-Za-z ,']{0,10}<[a-z]{1,9}@[a-z]{1,9}>".boxed(),
        Kind::Host => host.boxed(),
        Kind::PublicUrl => url().boxed(),
        Kind::Link => {
            prop_oneof![Just(String::new()), url().prop_map(|url| format!("{url}/in#{{token}}"))].boxed()
        }
        Kind::Networks => {
            proptest::collection::vec(any::<std::net::IpAddr>().prop_map(|address| address.to_string()), 0..4)
                .prop_map(|entries| entries.join(", "))
                .boxed()
        }
        Kind::Color => {
            "(#[0-7]{6})?".prop_filter("dark", |text| text.is_empty() || !text.contains(['6', '7'])).boxed()
        }
        Kind::Urls => proptest::collection::vec(url().prop_map(|url| format!("{url}/in?a=b")), 0..4)
            .prop_map(|entries| entries.join(", "))
            .boxed(),
        Kind::Issuer => {
            prop_oneof![Just(String::new()), url().prop_map(|url| format!("{url}/realms/Acme"))].boxed()
        }
        Kind::Domains => proptest::collection::vec(host, 0..4).prop_map(|entries| entries.join(",")).boxed(),
        Kind::Scopes => {
            proptest::collection::vec("[a-z:./-]{1,9}", 0..4).prop_map(|entries| entries.join(", ")).boxed()
        }
        Kind::Roles => {
            proptest::collection::btree_map("[a-z=\"' /é-]{0,9}[a-z\"]", "[a-z][a-z0-9._-]{0,9}", 0..4)
                .prop_map(|pairs| {
                    let pairs = pairs.into_iter().map(|(value, role)| format!("{}={role}", value.trim()));
                    pairs.collect::<Vec<_>>().join(",")
                })
                .boxed()
        }
        Kind::Origins => {
            proptest::collection::vec(url(), 0..4).prop_map(|entries| entries.join(", ")).boxed()
        }
    }
}
