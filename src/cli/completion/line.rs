//! The line that is being completed, as a script hands it over.

use std::ffi::OsString;

/// What stands after `--` in the arguments that a script gives.
pub fn typed(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    args.skip_while(|arg| arg != "--").skip(1)
}
