//! The reader: pieces of XML to traces.

use super::lines::Lines;
use super::{Attribute, Attributes, Kind, SourceEvent, Trace};
use crate::import::error::Fault;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::io::{BufReader, ErrorKind, Read};

/// The deepest that attributes may nest.
const DEEPEST: usize = 32;
/// The largest that one trace may be, in bytes of keys and values.
const LARGEST_TRACE: usize = 64 * 1024 * 1024;

/// An opening tag.
struct Tag {
    line: u64,
    name: String,
    xml: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.xml.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn fault(&self, problem: impl Into<String>, help: &'static str) -> Fault {
        Fault::new(self.line, problem, help)
    }
}

enum Token {
    Open(Tag),
    Close,
    End(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    After,
}

/// Reads one trace after another.
pub struct XesReader<R: Read> {
    xml: Reader<Lines<BufReader<R>>>,
    buffer: Vec<u8>,
    place: Place,
    size: usize,
}

impl<R: Read> XesReader<R> {
    /// A reader of these bytes, unpacked already.
    pub fn new(bytes: R) -> Self {
        let mut xml = Reader::from_reader(Lines::new(BufReader::with_capacity(64 * 1024, bytes)));
        xml.config_mut().expand_empty_elements = true;
        XesReader { xml, buffer: Vec::new(), place: Place::Before, size: 0 }
    }

    /// The next trace; none after the last.
    ///
    /// # Errors
    /// The first thing that is not XES, with its line.
    pub fn next_trace(&mut self) -> Result<Option<Trace>, Fault> {
        loop {
            match (self.token()?, self.place) {
                (Token::Open(tag), Place::Before) if tag.name == "log" => {
                    self.place = Place::Inside;
                }
                (Token::Open(tag), Place::Before) => {
                    return Err(tag.fault(
                        format!("the file begins with <{}>, not with <log>", shown(&tag.name)),
                        "give an XES file",
                    ));
                }
                (Token::Open(tag), Place::After) => {
                    return Err(tag.fault("there is more after </log>", "keep one log a file"));
                }
                (Token::Open(tag), Place::Inside) => match tag.name.as_str() {
                    "trace" => return self.trace(&tag).map(Some),
                    "extension" | "global" | "classifier" => self.skip()?,
                    "event" => {
                        return Err(tag.fault(
                            "an event outside of a trace belongs to no case",
                            "put it into its trace, or take it out",
                        ));
                    }
                    _ => self.attribute(&tag, "", &mut Attributes::new(), Care::Head, 0)?,
                },
                (Token::Close, _) => self.place = Place::After,
                (Token::End(_), Place::After) => return Ok(None),
                (Token::End(line), Place::Before) => {
                    return Err(Fault::new(line, "there is no <log>", "give an XES file"));
                }
                (Token::End(line), Place::Inside) => {
                    return Err(Fault::new(
                        line,
                        "the file ends before </log>",
                        "it was cut off: fetch it again",
                    ));
                }
            }
        }
    }

    fn trace(&mut self, tag: &Tag) -> Result<Trace, Fault> {
        no_xml_attributes(tag)?;
        self.size = 0;
        let mut trace = Trace { line: tag.line, attributes: Attributes::new(), events: Vec::new() };
        while let Some(child) = self.child()? {
            if child.name == "event" {
                no_xml_attributes(&child)?;
                let mut attributes = Attributes::new();
                while let Some(inner) = self.child()? {
                    self.attribute(&inner, "", &mut attributes, Care::Case, 0)?;
                }
                trace.events.push(SourceEvent { line: child.line, attributes });
            } else {
                self.attribute(&child, "", &mut trace.attributes, Care::Case, 0)?;
            }
        }
        Ok(trace)
    }

    /// Reads an attribute with what is below it, up to its closing tag.
    fn attribute(
        &mut self,
        tag: &Tag,
        above: &str,
        into: &mut Attributes,
        care: Care,
        depth: usize,
    ) -> Result<(), Fault> {
        let Some(kind) = Kind::of(&tag.name) else {
            return Err(tag.fault(
                format!("<{}> is not an element that XES knows here", shown(&tag.name)),
                "an attribute is a string, date, int, float, boolean, id, list or container",
            ));
        };
        if depth > DEEPEST {
            return Err(tag.fault("attributes nest deeper than 32", "flatten them"));
        }
        let key = tag.get("key").filter(|k| !k.is_empty()).ok_or_else(|| {
            tag.fault(format!("<{}> has no key", kind.as_str()), "give each attribute a key")
        })?;
        let value = match tag.get("value") {
            Some(value) => value,
            None if kind.is_nested() => "",
            None => {
                return Err(tag.fault(
                    format!("<{}> has no value", kind.as_str()),
                    "give each attribute a value",
                ));
            }
        };
        if !kind.admits(value) {
            let problem = format!("the value of {} is not of type {}", shown(key), kind.as_str());
            return Err(tag.fault(problem, kind.looks_like()));
        }
        let path = if above.is_empty() { key.to_owned() } else { format!("{above}/{key}") };
        if care == Care::Case {
            self.keep(tag, kind, &path, value, into)?;
        }
        let mut place = 0;
        while let Some(child) = self.child()? {
            if kind == Kind::List && child.name == "values" {
                while let Some(item) = self.child()? {
                    let below = format!("{path}/{place}");
                    place += 1;
                    self.attribute(&item, &below, into, care, depth + 1)?;
                }
            } else {
                self.attribute(&child, &path, into, care, depth + 1)?;
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        tag: &Tag,
        kind: Kind,
        path: &str,
        value: &str,
        into: &mut Attributes,
    ) -> Result<(), Fault> {
        if let Some((name, _)) = tag.xml.iter().find(|(n, _)| n != "key" && n != "value") {
            return Err(tag.fault(
                format!("<{}> has the XML attribute {}", kind.as_str(), shown(name)),
                "XES knows key and value only: put it into an attribute of its own",
            ));
        }
        self.size += path.len() + value.len();
        if self.size > LARGEST_TRACE {
            return Err(tag.fault("the case is larger than 64 MiB", "split it"));
        }
        let attribute = Attribute { kind, value: value.to_owned() };
        if into.insert(path.to_owned(), attribute).is_some() {
            return Err(tag.fault(
                format!("the key {} is given twice", shown(path)),
                "keep one of them, or give them keys of their own",
            ));
        }
        Ok(())
    }

    /// The next element below the present one; none at its closing tag.
    fn child(&mut self) -> Result<Option<Tag>, Fault> {
        match self.token()? {
            Token::Open(tag) => Ok(Some(tag)),
            Token::Close => Ok(None),
            Token::End(line) => Err(Fault::new(
                line,
                "the file ends in the middle of the log",
                "it was cut off: fetch it again",
            )),
        }
    }

    /// Passes over what is below the present element.
    fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 1;
        while depth > 0 {
            match self.child()? {
                Some(_) => depth += 1,
                None => depth -= 1,
            }
        }
        Ok(())
    }

    fn token(&mut self) -> Result<Token, Fault> {
        loop {
            self.buffer.clear();
            self.xml.get_mut().begin_piece();
            let line = self.xml.get_ref().line();
            let event = match self.xml.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => {
                    return Err(xml_fault(line, self.xml.get_ref().line(), &error));
                }
            };
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    return tag(line, &start).map(Token::Open);
                }
                Event::End(_) => return Ok(Token::Close),
                Event::Eof => return Ok(Token::End(line)),
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(Fault::new(
                        line,
                        "there is text between the elements",
                        "values belong into the XML attribute value",
                    ));
                }
                Event::Decl(declaration) => {
                    let named = declaration.encoding().and_then(Result::ok).unwrap_or_default();
                    let plain = ["", "utf-8", "us-ascii", "ascii"];
                    if !plain.iter().any(|e| named.eq_ignore_ascii_case(e)) {
                        return Err(Fault::new(
                            line,
                            format!("the file is written in {}", shown(&named)),
                            "turn it into UTF-8, as with iconv",
                        ));
                    }
                }
                Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }
}

/// How closely an attribute is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Of the file as a whole: well-formed, and not kept.
    Head,
    /// Of a case: kept whole.
    Case,
}

fn no_xml_attributes(tag: &Tag) -> Result<(), Fault> {
    match tag.xml.first() {
        None => Ok(()),
        Some((name, _)) => Err(tag.fault(
            format!("<{}> has the XML attribute {}", tag.name, shown(name)),
            "XES knows none there: put it into an attribute such as <string key=... value=.../>",
        )),
    }
}

fn tag(line: u64, start: &BytesStart<'_>) -> Result<Tag, Fault> {
    let name = start.local_name().as_ref().to_owned();
    let mut xml = Vec::with_capacity(2);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| {
            Fault::new(line, format!("<{}> is not well-formed: {error}", shown(&name)), MEND)
        })?;
        let key = attribute.key.as_ref();
        if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xml:") {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| {
            let problem = format!("a value of <{}> holds an entity that is unknown", shown(&name));
            Fault::new(line, problem, "write &amp; for &, &lt; for <")
        })?;
        xml.push((key.to_owned(), value.into_owned()));
    }
    Ok(Tag { line, name, xml })
}

const MEND: &str = "mend the XML there, or export the log again";

fn xml_fault(began: u64, stopped: u64, error: &quick_xml::Error) -> Fault {
    match error {
        quick_xml::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Fault::new(stopped, "the packed file ends too early", "it was cut off: fetch it again")
        }
        quick_xml::Error::Io(error) => Fault::new(
            stopped,
            format!("the file cannot be read on: {error}"),
            "fetch it again, and look at the disk",
        ),
        quick_xml::Error::Encoding(_) => {
            Fault::new(began, "the text is not UTF-8", "turn it into UTF-8, as with iconv")
        }
        // Errors of the grammar name tags, which are the file's own: shown short.
        error => Fault::new(
            began,
            format!("the XML is not well-formed: {}", shown(&error.to_string())),
            MEND,
        ),
    }
}

/// A name of the file in an error, short.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).filter(|c| !c.is_control()).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}
