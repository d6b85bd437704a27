//! Why a handler shows no page of its own.

use super::form::BadForm;
use crate::error::{Error, Fault, Refusal};
use crate::web::rejection::Rejection;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// What was asked for is refused, or failed.
    Rejection(Rejection),
    /// The form is none of ours, or can't be read.
    Form(BadForm),
    /// Nothing is at this address.
    NotFound,
}

impl From<BadForm> for Stop {
    fn from(bad: BadForm) -> Self {
        Self::Form(bad)
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejection(rejection)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Rejection(error.into())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Rejection(refusal.into())
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Rejection(Error::from(fault).into())
    }
}
