//! How a person proved who they are: a first factor, and a second where one is on.

/// What a person showed first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum FirstFactor {
    Password,
    /// What was mailed to their address.
    Email,
    /// An account at a provider.
    Federated,
}

/// What they showed after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum SecondFactor {
    Code,
    RecoveryCode,
}

/// Both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct Proof {
    pub first: FirstFactor,
    /// `None`: no second factor was on.
    pub second: Option<SecondFactor>,
}

impl FirstFactor {
    const ALL: [Self; 3] = [Self::Password, Self::Email, Self::Federated];

    /// Its name in `amr`: registered by RFC 8176 §2 for a password; the others are widely used, and no more.
    pub(in crate::usecase) const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Email => "email",
            Self::Federated => "fed",
        }
    }

    /// Finds the one of this name. `None`: there is none.
    pub(in crate::usecase) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|first| first.name() == name)
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

impl Proof {
    /// The methods (RFC 8176).
    pub(in crate::usecase) fn amr(self) -> Vec<String> {
        let second: &[&str] = match self.second {
            None => &[],
            Some(SecondFactor::Code) => &["otp", "mfa"],
            // A recovery code is a look-up secret; RFC 8176 has no name for one but `mfa` says two factors.
            Some(SecondFactor::RecoveryCode) => &["mfa"],
        };
        [self.first.name()].iter().chain(second).map(|method| (*method).to_owned()).collect()
    }

    /// Finds the proof that has these methods. `None`: there is none.
    pub(in crate::usecase) fn of_amr(amr: &[String]) -> Option<Self> {
        let all = FirstFactor::ALL.into_iter().flat_map(|first| {
            [first.alone(), first.and(SecondFactor::Code), first.and(SecondFactor::RecoveryCode)]
        });
        all.into_iter().find(|proof| proof.amr() == amr)
    }
}
