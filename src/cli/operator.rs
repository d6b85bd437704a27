//! The operator's login name, as the audit log records it.

use std::ffi::OsString;

/// The login name of the operator: of the user who runs the program, or of the one behind sudo where that is
/// root. A user without a name, as in a container, is `uid:` and the number.
#[must_use]
pub fn login_name() -> String {
    let uid = uzers::get_current_uid();
    let account = uzers::get_user_by_uid(uid).map(|user| user.name().to_os_string());
    choose(uid, std::env::var_os("SUDO_USER"), account)
}

/// Any user may set any variable: of those, `SUDO_USER` alone is asked, and only of root, who can write what
/// they like into the log anyway. `LOGNAME` and `USER` say nothing that the uid doesn't.
fn choose(uid: u32, sudo_user: Option<OsString>, account: Option<OsString>) -> String {
    sudo_user
        .filter(|name| uid == 0 && !name.is_empty())
        .or(account)
        .map_or_else(|| format!("uid:{uid}"), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_behind_sudo_counts_for_root_alone() {
        let name = |text: &str| Some(OsString::from(text));
        assert_eq!(choose(0, name("ann"), name("root")), "ann");
        assert_eq!(choose(0, name(""), name("root")), "root");
        assert_eq!(choose(0, None, name("root")), "root");
        assert_eq!(choose(998, name("ann"), name("authd")), "authd");
        assert_eq!(choose(1000, None, name("bob")), "bob");
        assert_eq!(choose(1000, name("ann"), None), "uid:1000");
    }
}
