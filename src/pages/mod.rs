//! The daemon's face to people: the pages that links in mails lead to.
