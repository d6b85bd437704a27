//! How a person proved who they are: a first factor, and a second where one is on.

use crate::domain::passkey::KeyStorage;

/// What a person showed first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum FirstFactor {
    Password,
    /// What was mailed to their address.
    Email,
    /// An account at a provider.
    Federated,
    /// A passkey whose device has verified who was there: two factors in one.
    Passkey(KeyStorage),
}

/// What they showed after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum SecondFactor {
    Code,
    RecoveryCode,
    Passkey(KeyStorage),
}

/// Both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct Proof {
    pub first: FirstFactor,
    /// `None`: no second factor was on, or the first was two in one.
    pub second: Option<SecondFactor>,
}

impl FirstFactor {
    const ALL: [Self; 5] = [
        Self::Password,
        Self::Email,
        Self::Federated,
        Self::Passkey(KeyStorage::Hardware),
        Self::Passkey(KeyStorage::Software),
    ];

    /// Its name in `amr`: registered by RFC 8176 §2 for a password and a key; the others are widely used, and
    /// no more.
    pub(in crate::usecase) const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Email => "email",
            Self::Federated => "fed",
            Self::Passkey(storage) => storage.name(),
        }
    }

    /// Finds the one of this name. `None`: there is none.
    pub(in crate::usecase) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|first| first.name() == name)
    }

    const fn is_passkey(self) -> bool {
        matches!(self, Self::Passkey(_))
    }

    /// Nothing else was shown.
    pub(in crate::usecase) const fn alone(self) -> Proof {
        Proof { first: self, second: None }
    }

    /// With a second factor after it.
    pub(in crate::usecase) const fn and(self, second: SecondFactor) -> Proof {
        Proof { first: self, second: Some(second) }
    }
}

impl SecondFactor {
    const ALL: [Self; 4] = [
        Self::Code,
        Self::RecoveryCode,
        Self::Passkey(KeyStorage::Hardware),
        Self::Passkey(KeyStorage::Software),
    ];

    /// As `amr` has it. A recovery code is a look-up secret, for which RFC 8176 has no name.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Code => Some("otp"),
            Self::RecoveryCode => None,
            Self::Passkey(storage) => Some(storage.name()),
        }
    }

    const fn is_passkey(self) -> bool {
        matches!(self, Self::Passkey(_))
    }
}

impl Proof {
    /// Whether two factors were shown.
    pub(in crate::usecase) const fn is_of_two_factors(self) -> bool {
        self.second.is_some() || self.first.is_passkey()
    }

    /// The methods (RFC 8176). Whoever used a passkey was present at its device (`user`).
    pub(in crate::usecase) fn amr(self) -> Vec<String> {
        let second = self.second.and_then(SecondFactor::name);
        let present = self.first.is_passkey() || self.second.is_some_and(SecondFactor::is_passkey);
        let methods = [
            Some(self.first.name()),
            second.filter(|second| *second != self.first.name()),
            present.then_some("user"),
            self.is_of_two_factors().then_some("mfa"),
        ];
        methods.into_iter().flatten().map(str::to_owned).collect()
    }

    /// Finds the proof that has these methods. `None`: there is none.
    pub(in crate::usecase) fn of_amr(amr: &[String]) -> Option<Self> {
        let all = FirstFactor::ALL.into_iter().flat_map(|first| {
            let with_second = SecondFactor::ALL.into_iter().map(move |second| first.and(second));
            std::iter::once(first.alone()).chain(with_second)
        });
        all.into_iter().find(|proof| proof.amr() == amr)
    }
}
