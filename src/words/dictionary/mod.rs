//! The dictionary: every data element, tagged or not, with name, source, format,
//! length, sensitivity and bit table. No behaviour may enter.
