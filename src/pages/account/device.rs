//! The device that a session is on, in words of ours and in the language of the visit.

use crate::domain::device;
use crate::pages::visit::Visit;

/// Names it, as in `Firefox on Linux`.
#[must_use]
pub fn in_words(visit: &Visit<'_>, user_agent: Option<&str>) -> String {
    let Some(device) = user_agent.and_then(device::find) else {
        return visit.text("device.unknown").to_owned();
    };
    let Some(system) = device.system else {
        return device.browser.to_owned();
    };
    // Names are the same everywhere; what has an article is a text.
    let key = format!("device.{}", system.rsplit(' ').next().unwrap_or_default().to_lowercase());
    let system = visit.language.text(&key).unwrap_or(system);
    let on = [("browser", device.browser), ("system", system)];
    visit.language.text_with("device.on", &on).unwrap_or_default()
}
