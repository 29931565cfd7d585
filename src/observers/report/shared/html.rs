//! What every page is made of: no network, no other file, dark and light.

/// Colours, type and the manner of folding.
const STYLE: &str = include_str!("page.css");
/// Search, the choice of dark or light, and opening what a link names.
const SCRIPT: &str = include_str!("page.js");

/// A whole page. `style` and `script` are its own, after those of every page.
pub(in crate::observers::report) fn page(title: &str, body: &str, style: &str, script: &str) -> String {
    // The policy forbids every connection, so that a recording can hold nothing that asks for one.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
         <style>\n{STYLE}{style}</style>\n</head>\n<body>\n{body}<script>\n\"use strict\";\n{SCRIPT}{script}</script>\n\
         </body>\n</html>\n",
        escaped(title)
    )
}

/// The box that searches, and the button between dark and light.
pub(in crate::observers::report) const TOOLS: &str = "<p id=\"tools\"><input id=\"search\" type=\"search\" placeholder=\"Search ( / )\" aria-label=\"Search\"> \
     <button id=\"theme\" type=\"button\">Dark or light</button></p>\n";

/// Text for an element or an attribute.
pub(in crate::observers::report) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match entity(letter) {
            Some(entity) => out.push_str(entity),
            None => out.push(letter),
        }
    }
    out
}

/// What stands for a letter that HTML and XML read as markup; `None` for the others.
pub(in crate::observers::report) fn entity(letter: char) -> Option<&'static str> {
    Some(match letter {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_and_holds_no_markup_of_others() {
        let page = page("<script>", &format!("<p>{}</p>", escaped("a<b & \"c\"")), "", "");
        assert!(page.contains("<title>&lt;script&gt;</title>"), "{page}");
        assert!(page.contains("<p>a&lt;b &amp; &quot;c&quot;</p>"), "{page}");
        assert!(!page.contains("http:") && !page.contains("https:"), "nothing is asked of a network");
    }
}
