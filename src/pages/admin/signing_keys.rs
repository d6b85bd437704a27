//! `/auth/admin/signing-keys`: the keys by which other programs verify tokens, as everybody can fetch them.

use super::frame::{self, Tab};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::keys::current_key;
use minijinja::context;

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_holders("/auth/admin/signing-keys", "keys:write").get(list)];

/// What the JWK set says, and no more: the rest is the operator's, in a shell.
fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let set = current_key::jwks(visit.app)?;
    let text = |key: &serde_json::Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let keys: Vec<_> = set["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|key| context! { kid => text(key, "kid"), algorithm => text(key, "alg") })
        .collect();
    let page = context! { title => visit.text("admin_signing_keys.title"), keys };
    Ok(frame::page(visit, Tab::SigningKeys, 200, "admin_signing_keys.html", page))
}
