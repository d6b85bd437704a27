//! The operator's login name, as the audit log records it.

use std::ffi::OsString;

/// The login name of the operator: the one behind sudo, else of the user who runs the program, else the
/// number of that user where nobody has given it a name (as in a container).
#[must_use]
pub fn login_name() -> String {
    let uid = uzers::get_current_uid();
    let account = uzers::get_user_by_uid(uid).map(|user| user.name().to_os_string());
    choose(uid, std::env::var_os("SUDO_USER"), account)
}

/// `SUDO_USER` counts whichever user sudo switched to, most often the daemon's own. Somebody could set it by
/// hand, but whoever can run this has the database file anyway.
fn choose(uid: u32, sudo_user: Option<OsString>, account: Option<OsString>) -> String {
    sudo_user
        .filter(|name| !name.is_empty())
        .or(account)
        .map_or_else(|| uid.to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_behind_sudo_comes_first() {
        let name = |text: &str| Some(OsString::from(text));
        assert_eq!(choose(0, name("ann"), name("root")), "ann");
        assert_eq!(choose(0, name(""), name("root")), "root");
        assert_eq!(choose(0, None, name("root")), "root");
        assert_eq!(choose(998, name("ann"), name("authd")), "ann");
        assert_eq!(choose(1000, None, name("bob")), "bob");
        assert_eq!(choose(1000, None, None), "1000");
    }
}
