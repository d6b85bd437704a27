//! What is sent to the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.5), and how the client proves itself
//! there (§2.3.1).

use super::discovery::{ClientAuth, Metadata};
use crate::domain::secret::Secret;
use form_urlencoded::{Serializer, byte_serialize};

/// A code that came back, and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub client_id: &'a str,
    /// `None`: a public client, which proves itself by PKCE alone.
    pub client_secret: Option<&'a Secret<String>>,
    pub code: &'a str,
    pub verifier: &'a Secret<String>,
    /// As it was in the authorization request.
    pub redirect_uri: &'a str,
}

/// A request to the token endpoint.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    pub url: String,
    pub form: Secret<String>,
    /// Name and password of HTTP's Basic scheme, encoded already. `None`: what there is stands in the form.
    pub basic: Option<(String, Secret<String>)>,
}

/// The request that exchanges a code.
#[must_use]
pub fn exchange(metadata: &Metadata, exchange: &Exchange<'_>) -> TokenRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", exchange.code)
        .append_pair("redirect_uri", exchange.redirect_uri)
        .append_pair("code_verifier", exchange.verifier.expose());
    let basic = match (exchange.client_secret, metadata.client_auth) {
        (Some(secret), ClientAuth::Basic) => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            Some((encoded(exchange.client_id), Secret::new(encoded(secret.expose()))))
        }
        (Some(secret), ClientAuth::Post) => {
            form.append_pair("client_id", exchange.client_id).append_pair("client_secret", secret.expose());
            None
        }
        (None, _) => {
            form.append_pair("client_id", exchange.client_id);
            None
        }
    };
    TokenRequest { url: metadata.token_endpoint.clone(), form: Secret::new(form.finish()), basic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProviderKind;
    use crate::oidc::kinds::{self, tests::provider};

    type Pair = (String, String);

    fn sent(auth: ClientAuth, secret: Option<&str>) -> (Vec<Pair>, Option<Pair>) {
        let kind = kinds::of(ProviderKind::Github);
        let mut metadata = kind.fixed(&provider(ProviderKind::Github)).expect("it has no discovery");
        metadata.client_auth = auth;
        let secret = secret.map(|secret| Secret::new(secret.to_owned()));
        let verifier = Secret::new("v".repeat(43));
        let request = exchange(
            &metadata,
            &Exchange {
                client_id: "my client",
                client_secret: secret.as_ref(),
                code: "c&d",
                verifier: &verifier,
                redirect_uri: "https://a.example/b",
            },
        );
        let form = form_urlencoded::parse(request.form.expose().as_bytes()).into_owned().collect();
        (form, request.basic.map(|(user, password)| (user, password.expose().clone())))
    }

    #[test]
    fn a_client_proves_itself_in_one_way() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let always = [
            pair("grant_type", "authorization_code"),
            pair("code", "c&d"),
            pair("redirect_uri", "https://a.example/b"),
            pair("code_verifier", &"v".repeat(43)),
        ];
        let (form, basic) = sent(ClientAuth::Basic, Some("a:b+ü"));
        assert_eq!((form.as_slice(), basic), (&always[..], Some(pair("my+client", "a%3Ab%2B%C3%BC"))));
        let (form, basic) = sent(ClientAuth::Post, Some("s"));
        assert_eq!(
            (&form[..4], &form[4..]),
            (&always[..], &[pair("client_id", "my client"), pair("client_secret", "s")][..])
        );
        assert_eq!(basic, None);
        for auth in [ClientAuth::Basic, ClientAuth::Post] {
            let (form, basic) = sent(auth, None);
            assert_eq!((&form[4..], basic), (&[pair("client_id", "my client")][..], None));
        }
    }
}
