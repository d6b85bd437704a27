//! Settings that take one of a few names: one table of each enum's variants and their names.

/// Declares such an enum, with the names that the file, the environment and the manual know its variants by.
/// Reading, the list in an error message and authd.toml(5) all follow from this one table.
macro_rules! choices {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every name, in the order in which the manual lists them.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Finds the variant of this name. `None`: there is none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    )+};
}

choices! {
    /// Whether people may register themselves.
    Registration {
        Open = "open",
        Closed = "closed",
    }

    /// What a provider of identities speaks.
    ProviderKind {
        /// OpenID Connect with discovery: Keycloak, Okta, Authentik, Zitadel and others.
        Oidc = "oidc",
        Google = "google",
        Microsoft = "microsoft",
        /// OAuth 2.0 without an ID token.
        Github = "github",
        Gitlab = "gitlab",
        /// OAuth 2.0 without an ID token.
        Discord = "discord",
        Apple = "apple",
    }

    /// When an identity may take an account that has its address.
    LinkByEmail {
        Never = "never",
        /// Both sides have verified it, and the provider is the one to say so.
        Verified = "verified",
    }

    /// Who must have a second factor.
    TwoFactorRequired {
        Off = "off",
        /// Who has the role `admin`, or holds a permission of authd's own.
        Admins = "admins",
        All = "all",
    }

    /// How a database server is known to be the one that is meant.
    PostgresTls {
        /// By a certificate for its name, from an authority that is trusted.
        VerifyFull = "verify-full",
        Disable = "disable",
    }

    /// How mail leaves.
    MailTransport {
        /// Kept in the database, read with `authctl mail`.
        Outbox = "outbox",
        Smtp = "smtp",
    }

    /// How the connection to the SMTP server is encrypted.
    SmtpTls {
        Starttls = "starttls",
        Tls = "tls",
        /// Loopback only.
        None = "none",
    }

    /// The `SameSite` of the cookies.
    SameSite {
        Strict = "strict",
        Lax = "lax",
    }

    /// The least that is worth a line in the log.
    LogLevel {
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
    }

    /// How a line of the log is written.
    LogFormat {
        Text = "text",
        Json = "json",
    }
}
