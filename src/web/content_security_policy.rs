//! What a page may load, and where its forms may lead (Content Security Policy 3).

/// Makes the policy of a page: nothing from elsewhere but from `base`, nothing inline, no frame; its script
/// asks authd alone; forms go to authd and on to `leads_to`. Both are origins, or empty.
#[must_use]
pub fn of_page(base: &str, leads_to: &str) -> String {
    let own = format!("'self' {base}");
    let (own, forms) = (own.trim_end(), format!("'self' {leads_to}"));
    format!(
        "default-src 'none'; style-src {own}; script-src 'self'; connect-src 'self'; img-src {own}; form-action {}; \
         frame-ancestors 'none'; base-uri 'none'",
        forms.trim_end()
    )
}
