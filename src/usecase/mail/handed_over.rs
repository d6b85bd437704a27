//! Links that an operator hands over, so that no mail has them.

use super::compose::{lifetime, link_url};
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::id::{LinkId, UserId};
use crate::domain::link::LinkKind;
use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::store::tables::links;
use crate::store::tables::links::NewLink;
use crate::store::tx::Tx;
use crate::usecase::app::App;

/// A link that an operator hands over, and the URL that goes with it.
pub(in crate::usecase) fn handed_over(app: &App, kind: LinkKind) -> (HandedOver, Secret<String>) {
    let (token, token_hash) = opaque::generate(kind.prefix(), app.entropy());
    let id = LinkId::new(app.now(), app.id_entropy());
    (HandedOver { id, kind, token_hash }, link_url(&app.config, kind, &token))
}

/// See [`handed_over`].
#[derive(Clone, Debug)]
pub(in crate::usecase) struct HandedOver {
    id: LinkId,
    kind: LinkKind,
    token_hash: OpaqueHash,
}

impl HandedOver {
    /// Makes it count; an older one of its kind is void.
    pub(in crate::usecase) fn insert(&self, tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
        let link = NewLink {
            id: self.id,
            kind: self.kind,
            user,
            token_hash: self.token_hash,
            expires_at: tx.now().plus(lifetime(self.kind)),
            email: None,
            session: None,
            mailed: false,
        };
        links::insert(tx, &link)
    }
}
