//! One change to a TOML file: a key and its new value, or that it is gone. Which file, and
//! what its keys mean, is not known here.

use toml::{Table, Value};

/// A change to a TOML file.
#[derive(Debug, Clone, PartialEq)]
pub struct TomlChange {
    /// The parts of the key; a number, from 1, names an element of a list.
    path: Vec<String>,
    /// The value; `None` takes the key away.
    value: Option<Value>,
}

impl TomlChange {
    /// Reads a key such as `risk.floor_limit_minor` or `combination.2.ttq`, and a TOML value;
    /// `None` takes the key away.
    pub fn parse(key: &str, value: Option<&str>) -> Result<Self, String> {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        let is_key =
            |part: &String| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !path.iter().all(is_key) {
            return Err(format!("{key:?} is no key of a TOML file, such as risk.floor_limit_minor"));
        }
        let value = match value {
            None => None,
            Some(text) => {
                let read: Table =
                    toml::from_str(&format!("value = {text}")).map_err(|cause| cause.message().to_owned())?;
                Some(read.get("value").filter(|_| read.len() == 1).cloned().ok_or("more than one value")?)
            }
        };
        Ok(Self { path, value })
    }

    /// Changes a file.
    pub fn apply(&self, file: &mut Table) -> Result<(), String> {
        let Some((last, way)) = self.path.split_last() else { return Ok(()) };
        let Some((first, rest)) = way.split_first() else {
            self.put(file, last);
            return Ok(());
        };
        let mut at = file.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
        for part in rest {
            at = match at {
                Value::Table(table) => {
                    table.entry(part.clone()).or_insert_with(|| Value::Table(Table::new()))
                }
                Value::Array(list) => element(list, part)?,
                _ => return Err(format!("{}: {part:?} stands in no table", self.path.join("."))),
            };
        }
        match at {
            Value::Table(table) => {
                self.put(table, last);
                Ok(())
            }
            Value::Array(list) => match &self.value {
                Some(value) => element(list, last).map(|slot| *slot = value.clone()),
                None => index(list, last).map(|index| drop(list.remove(index))),
            },
            _ => Err(format!("{}: {last:?} stands in no table", self.path.join("."))),
        }
    }

    fn put(&self, table: &mut Table, key: &str) {
        match &self.value {
            Some(value) => drop(table.insert(key.to_owned(), value.clone())),
            None => drop(table.remove(key)),
        }
    }
}

fn element<'a>(list: &'a mut [Value], part: &str) -> Result<&'a mut Value, String> {
    let index = index(list, part)?;
    list.get_mut(index).ok_or_else(|| part.to_owned())
}

fn index(list: &[Value], part: &str) -> Result<usize, String> {
    let number = part.parse::<usize>().ok().filter(|number| (1..=list.len()).contains(number));
    number
        .map(|number| number - 1)
        .ok_or_else(|| format!("expected a number from 1 to {} for {part:?} of a list", list.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(key: &str, value: Option<&str>) -> Result<String, String> {
        let mut file: Table = toml::from_str("a = 1\n[b]\nc = [{ d = 1 }, { d = 2 }]").unwrap();
        TomlChange::parse(key, value)?.apply(&mut file)?;
        Ok(file.to_string().replace('\n', " "))
    }

    #[test]
    fn keys_are_changed_added_and_taken_away() {
        assert!(changed("a", Some("true")).unwrap().contains("a = true"));
        assert!(changed("b.c.2.d", Some("\"x\"")).unwrap().contains("d = \"x\""));
        assert!(changed("e.f", Some("[1]")).unwrap().contains("f = [1]"));
        assert!(!changed("a", None).unwrap().contains("a = 1"));
        assert!(!changed("b.c.1", None).unwrap().contains("d = 1"));
    }

    #[test]
    fn what_is_no_change_is_an_error() {
        for (key, value) in [
            ("a..b", None),
            ("a", Some("x y")),
            ("b.c.3.d", Some("1")),
            ("a.b", Some("1")),
            ("a", Some("1\nb = 2")),
        ] {
            assert!(changed(key, value).is_err(), "{key} {value:?}");
        }
    }
}
