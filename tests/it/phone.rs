//! The second factor against other people's programs: the QR code read by zbarimg, the code computed by
//! oathtool, an address and a secret that no part of authd handed over by another way.

use crate::missing::is_there;
use crate::world::{PASSWORD, World, anonymous};
use authd::domain::secret::Secret;
use authd::usecase::account::two_factor;
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::LoggedIn;
use authd::usecase::signin::second_factor;
use std::path::Path;
use std::process::Command;

const ANN: &str = "ann@example.com";

/// Runs a program; `None` when it is not installed.
pub fn run(program: &str, args: &[&str]) -> Option<String> {
    if !is_there(program) {
        return None;
    }
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// What a phone's camera makes of the picture.
fn scan(folder: &Path, svg: &str) -> Option<String> {
    let (drawn, seen) = (folder.join("qr.svg"), folder.join("qr.png"));
    std::fs::write(&drawn, svg).unwrap();
    run("rsvg-convert", &[drawn.to_str().unwrap(), "-o", seen.to_str().unwrap()])?;
    run("zbarimg", &["--quiet", "--raw", seen.to_str().unwrap()])
}

/// The code that an app with this secret shows at the world's time.
fn code(world: &World, base32: &str) -> Option<Secret<String>> {
    let now = format!("@{}", world.now().as_secs());
    run("oathtool", &["--totp", "--base32", "--now", &now, base32]).map(Secret::new)
}

#[test]
fn a_phone_that_scans_the_code_logs_in() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let setup = two_factor::setup(&world.app, &caller).unwrap();
    let Some(uri) = scan(&world.folder, setup.qr_svg.expose()) else {
        return;
    };
    assert_eq!(uri, *setup.otpauth_uri.expose());
    let scanned = uri.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).unwrap();

    let Some(first) = code(&world, scanned) else {
        return;
    };
    two_factor::enable(&world.app, &caller, &first).unwrap();
    world.advance(std::time::Duration::from_secs(30));
    let LoggedIn::SecondStep(ticket, _) = world.first_step(&anonymous(), ANN, PASSWORD).unwrap() else {
        panic!("the factor is on");
    };
    let next = Factor::Code(code(&world, scanned).unwrap());
    let through = second_factor::verify(&world.app, &anonymous(), ticket.expose(), &next).unwrap();
    let tokens = through.started().unwrap().tokens(&world.app).unwrap();
    assert!(world.is_signed_in(&tokens));
}
