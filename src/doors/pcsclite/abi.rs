//! The C interface of `winscard.h`, and the only unsafe code of this room: each function
//! turns what a program points at into values, asks the service, and writes back what it
//! said. A null pointer or a bad length is an error code; a panic ends here as one.

// A C interface cannot be offered without: memory of the program is read and written.
#![allow(unsafe_code)]

use super::code::{Code, words};
use super::exchange::Status;
use super::service::Service;
use super::watch::Watched;
use crate::air::link::pcsc::{Library, SCARD_IO_REQUEST, SCARD_READERSTATE, answer_with};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_long, c_ulong, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

// Both are 64 bits wide where this room is built.
type Dword = c_ulong;
type Long = c_long;

/// A length that asks for memory to be allocated.
const AUTOALLOCATE: Dword = Dword::MAX;
/// A wait without end, as 32 and as 64 bits write it.
const INFINITE: [Dword; 2] = [0xFFFF_FFFF, Dword::MAX];
/// The longest command or answer, and the longest attribute and name, in bytes.
const LONGEST_APDU: Dword = 65_548;
const LONGEST_ATTRIBUTE: Dword = 264;
const LONGEST_NAME: usize = 128;
/// The most readers that one call may watch.
const MOST_WATCHED: Dword = 16;
/// The one group of readers, as a list of strings.
const GROUPS: &[u8] = b"SCard$DefaultReaders\0\0";

/// Makes the functions below answer every PC/SC call of this process.
pub extern "C" fn begin() {
    let functions = Library {
        SCardEstablishContext: establish_context,
        SCardReleaseContext: release_context,
        SCardIsValidContext: is_valid_context,
        SCardCancel: cancel,
        SCardConnect: connect,
        SCardReconnect: reconnect,
        SCardDisconnect: disconnect,
        SCardGetStatusChange: get_status_change,
        SCardListReaders: list_readers,
        SCardBeginTransaction: begin_transaction,
        SCardEndTransaction: end_transaction,
        SCardStatus: status,
        SCardGetAttrib: get_attrib,
        SCardSetAttrib: set_attrib,
        SCardTransmit: transmit,
        SCardControl: control,
    };
    // SAFETY: each function keeps the contract of winscard.h for its name, below. Nobody
    // called the library before: it is being loaded.
    unsafe { answer_with(functions) };
}

unsafe extern "C" fn establish_context(
    scope: Dword,
    _reserved_1: *const c_void,
    _reserved_2: *const c_void,
    context: *mut Long,
) -> Long {
    answer(|| {
        // SAFETY: the program gives null or a place for a handle.
        let place = unsafe { context.as_mut() }.ok_or(Code::INVALID_PARAMETER)?;
        *place = 0;
        *place = super::service()?.establish(scope)?;
        Ok(())
    })
}

unsafe extern "C" fn release_context(context: Long) -> Long {
    ask(|service| service.release(context))
}

unsafe extern "C" fn is_valid_context(context: Long) -> Long {
    ask(|service| service.is_valid(context))
}

unsafe extern "C" fn cancel(context: Long) -> Long {
    ask(|service| service.cancel(context))
}

unsafe extern "C" fn list_readers(
    context: Long,
    _groups: *const c_char,
    readers: *mut c_char,
    length: *mut Dword,
) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or a place for a length.
        let length = unsafe { length.as_mut() }.ok_or(Code::INVALID_PARAMETER)?;
        let names = service.readers(context)?;
        let mut list = names.join("\0").into_bytes();
        list.extend([0, 0]);
        // SAFETY: the buffer is null, or has the length that the program states.
        unsafe { give(&list, readers.cast(), length) }
    })
}

/// `SCardListReaderGroups`.
///
/// # Safety
/// As the PC/SC function: a buffer that is not null has the length given with it.
pub unsafe extern "C" fn list_reader_groups(context: Long, groups: *mut c_char, length: *mut Dword) -> Long {
    ask(|service| {
        service.is_valid(context)?;
        // SAFETY: the program gives null or a place for a length.
        let length = unsafe { length.as_mut() }.ok_or(Code::INVALID_PARAMETER)?;
        // SAFETY: the buffer is null, or has the length that the program states.
        unsafe { give(GROUPS, groups.cast(), length) }
    })
}

/// `SCardFreeMemory`.
///
/// # Safety
/// As the PC/SC function: the memory is null or was allocated by this library.
pub unsafe extern "C" fn free_memory(context: Long, memory: *const c_void) -> Long {
    ask(|service| {
        service.is_valid(context)?;
        // SAFETY: memory that was allocated here came from malloc; null is let be.
        unsafe { libc::free(memory.cast_mut()) };
        Ok(())
    })
}

unsafe extern "C" fn connect(
    context: Long,
    reader: *const c_char,
    share_mode: Dword,
    protocols: Dword,
    card: *mut Long,
    protocol: *mut Dword,
) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or places for a handle and a protocol.
        let (card, protocol) = unsafe { (card.as_mut(), protocol.as_mut()) };
        let (Some(card), Some(protocol)) = (card, protocol) else { return Err(Code::INVALID_PARAMETER) };
        *card = 0;
        // SAFETY: the program gives null or a C string.
        let name = unsafe { name(reader) }.ok_or(Code::UNKNOWN_READER)?;
        if name.len() > LONGEST_NAME {
            return Err(Code::INVALID_VALUE);
        }
        let (handle, chosen) = service.connect(context, &name, share_mode, protocols)?;
        *card = handle;
        *protocol = chosen;
        Ok(())
    })
}

unsafe extern "C" fn reconnect(
    card: Long,
    share_mode: Dword,
    protocols: Dword,
    initialization: Dword,
    protocol: *mut Dword,
) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or a place for a protocol.
        let protocol = unsafe { protocol.as_mut() }.ok_or(Code::INVALID_PARAMETER)?;
        let (share, wanted, what) = (share_mode, protocols, initialization);
        *protocol = service.reconnect(card, share, wanted, what)?;
        Ok(())
    })
}

unsafe extern "C" fn disconnect(card: Long, disposition: Dword) -> Long {
    ask(|service| service.disconnect(card, disposition))
}

unsafe extern "C" fn begin_transaction(card: Long) -> Long {
    ask(|service| service.begin(card))
}

unsafe extern "C" fn end_transaction(card: Long, disposition: Dword) -> Long {
    ask(|service| service.end(card, disposition))
}

unsafe extern "C" fn status(
    card: Long,
    reader: *mut c_char,
    reader_length: *mut Dword,
    state: *mut Dword,
    protocol: *mut Dword,
    atr: *mut u8,
    atr_length: *mut Dword,
) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or places for these values.
        let (state, protocol) = unsafe { (state.as_mut(), protocol.as_mut()) };
        // SAFETY: the same of the two lengths.
        let (reader_length, atr_length) = unsafe { (reader_length.as_mut(), atr_length.as_mut()) };
        let (mut no_reader, mut no_atr) = (0, 0);
        let reader_length = reader_length.unwrap_or(&mut no_reader);
        let atr_length = atr_length.unwrap_or(&mut no_atr);
        let room = (*reader_length, *atr_length);
        (*reader_length, *atr_length) = (0, 0);
        let found = service.status(card);
        let unknown = Status { reader: String::new(), state: 0, protocol: 0, atr: Vec::new() };
        let told = found.as_ref().unwrap_or(&unknown);
        state.into_iter().for_each(|place| *place = told.state);
        protocol.into_iter().for_each(|place| *place = told.protocol);
        let told = found?;
        (*reader_length, *atr_length) = room;
        let mut text = told.reader.into_bytes();
        text.push(0);
        // SAFETY: each buffer is null, or has the length that the program states.
        let (first, second) =
            unsafe { (give(&text, reader.cast(), reader_length), give(&told.atr, atr, atr_length)) };
        first.and(second)
    })
}

unsafe extern "C" fn get_status_change(
    context: Long,
    timeout_ms: Dword,
    states: *mut SCARD_READERSTATE,
    count: Dword,
) -> Long {
    ask(|service| {
        if (states.is_null() && count > 0) || count > MOST_WATCHED {
            return Err(Code::INVALID_PARAMETER);
        }
        let rows: &mut [SCARD_READERSTATE] = match count {
            0 => &mut [],
            // SAFETY: not null, and the program states how many there are.
            _ => unsafe { std::slice::from_raw_parts_mut(states, count as usize) },
        };
        let watched = |row: &SCARD_READERSTATE| {
            // SAFETY: the program gives null or a C string.
            let reader = unsafe { name(row.szReader) }.ok_or(Code::INVALID_VALUE)?;
            Ok(Watched { reader, thought: row.dwCurrentState, event: 0, atr: Vec::new() })
        };
        let mut watched = rows.iter().map(watched).collect::<Result<Vec<_>, Code>>()?;
        let timeout = (!INFINITE.contains(&timeout_ms)).then(|| Duration::from_millis(timeout_ms));
        let result = service.watch(context, timeout, &mut watched);
        if matches!(result, Ok(()) | Err(Code::TIMEOUT | Code::CANCELLED)) {
            for (row, watched) in rows.iter_mut().zip(&watched) {
                row.dwEventState = watched.event;
                let length = watched.atr.len().min(row.rgbAtr.len());
                row.rgbAtr[..length].copy_from_slice(&watched.atr[..length]);
                row.cbAtr = length as Dword;
            }
        }
        result
    })
}

unsafe extern "C" fn get_attrib(card: Long, attribute: Dword, value: *mut u8, length: *mut Dword) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or a place for a length.
        let length = unsafe { length.as_mut() }.ok_or(Code::INVALID_PARAMETER)?;
        if value.is_null() && *length == AUTOALLOCATE {
            return Err(Code::INVALID_PARAMETER);
        }
        service.state().handle(card)?;
        if !value.is_null() && *length > LONGEST_ATTRIBUTE && *length != AUTOALLOCATE {
            return Err(Code::INSUFFICIENT_BUFFER);
        }
        let bytes = service.attribute(card, attribute)?;
        // SAFETY: the buffer is null, or has the length that the program states.
        unsafe { give(&bytes, value, length) }
    })
}

unsafe extern "C" fn set_attrib(card: Long, _attribute: Dword, value: *const u8, length: Dword) -> Long {
    ask(|service| {
        if value.is_null() || length == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        service.set_attribute(card)
    })
}

unsafe extern "C" fn transmit(
    card: Long,
    send_pci: *const SCARD_IO_REQUEST,
    send: *const u8,
    send_length: Dword,
    receive_pci: *mut SCARD_IO_REQUEST,
    receive: *mut u8,
    receive_length: *mut Dword,
) -> Long {
    ask(|service| {
        // SAFETY: the program gives null or values of these kinds.
        let (send_pci, length) = unsafe { (send_pci.as_ref(), receive_length.as_mut()) };
        let (Some(send_pci), Some(length)) = (send_pci, length) else { return Err(Code::INVALID_PARAMETER) };
        if send.is_null() || receive.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let room = *length;
        if send_length > LONGEST_APDU || room > LONGEST_APDU {
            return Err(Code::INSUFFICIENT_BUFFER);
        }
        *length = 0;
        // SAFETY: not null, and the program states its length, which is bounded.
        let command = unsafe { std::slice::from_raw_parts(send, send_length as usize) };
        let protocol = send_pci.dwProtocol;
        let bytes = service.transmit(card, protocol, command, room as usize)?;
        *length = bytes.len() as Dword;
        if *length > room {
            return Err(Code::INSUFFICIENT_BUFFER);
        }
        // SAFETY: not null, and the program states that it has room for so much. What the
        // card said is memory of our own.
        unsafe { receive.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        // SAFETY: the program gives null or such a header.
        if let Some(pci) = unsafe { receive_pci.as_mut() } {
            pci.dwProtocol = protocol;
            pci.cbPciLength = size_of::<SCARD_IO_REQUEST>() as Dword;
        }
        Ok(())
    })
}

unsafe extern "C" fn control(
    card: Long,
    code: Dword,
    _send: *const u8,
    send_length: Dword,
    receive: *mut u8,
    receive_length: Dword,
    returned: *mut Dword,
) -> Long {
    ask(|service| {
        let mut nowhere = 0;
        // SAFETY: the program gives null or a place for a length.
        let returned = unsafe { returned.as_mut() }.unwrap_or(&mut nowhere);
        *returned = 0;
        service.state().handle(card)?;
        if send_length > LONGEST_APDU || receive_length > LONGEST_APDU {
            return Err(Code::INSUFFICIENT_BUFFER);
        }
        let bytes = service.control(card, code)?;
        *returned = receive_length;
        // SAFETY: the buffer is null, or has the length that the program states.
        unsafe { give(&bytes, receive, returned) }
    })
}

/// `pcsc_stringify_error`: words that stay until this thread asks again.
pub extern "C" fn stringify_error(code: Long) -> *const c_char {
    thread_local! {
        static SAID: RefCell<CString> = RefCell::default();
    }
    let told = CString::new(words(code).as_bytes()).unwrap_or_default();
    let say = |said: &RefCell<CString>| {
        *said.borrow_mut() = told;
        said.borrow().as_ptr()
    };
    // A thread that is ending has none left.
    SAID.try_with(say).unwrap_or(c"".as_ptr())
}

/// Asks the service, and makes a return code of what it says.
fn ask(call: impl FnOnce(&Service) -> Result<(), Code>) -> Long {
    // Without a context nothing was set up, and no handle can be valid.
    answer(|| call(super::service_there().ok_or(Code::INVALID_HANDLE)?))
}

/// Makes a return code of a result, and of a panic.
fn answer(call: impl FnOnce() -> Result<(), Code>) -> Long {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => 0,
        Ok(Err(code)) => Long::from(code.0),
        Err(_) => Long::from(Code::INTERNAL_ERROR.0),
    }
}

/// Gives bytes the way PC/SC does: into a buffer, cut where it is too short; into memory
/// that is allocated, where the length asks for that; or as a length alone.
///
/// # Safety
/// A buffer that is not null has room for `length` bytes, or for a pointer where that is
/// [`AUTOALLOCATE`].
unsafe fn give(bytes: &[u8], buffer: *mut u8, length: &mut Dword) -> Result<(), Code> {
    let room = std::mem::replace(length, bytes.len() as Dword);
    if room == AUTOALLOCATE {
        if buffer.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: any length may be asked for; null is looked for below.
        let memory = unsafe { libc::malloc(bytes.len().max(1)) }.cast::<u8>();
        if memory.is_null() {
            return Err(Code::NO_MEMORY);
        }
        // SAFETY: the memory is new and has that length; the buffer has room for a
        // pointer, at an address that need not fit one.
        unsafe {
            memory.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            buffer.cast::<*mut u8>().write_unaligned(memory);
        }
        return Ok(());
    }
    if buffer.is_null() {
        return Ok(());
    }
    // SAFETY: the buffer has room for so many, as the caller keeps.
    unsafe { buffer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(room as usize)) };
    if bytes.len() > room as usize { Err(Code::INSUFFICIENT_BUFFER) } else { Ok(()) }
}

/// A reader's name.
///
/// # Safety
/// The pointer is null or a C string.
unsafe fn name(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null, so a C string.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

/// Makes the crate that calls it a PC/SC library: exports what the loader of
/// `air::link::pcsc` does not, and answers before anyone can ask.
#[macro_export]
macro_rules! pcsclite_library {
    () => {
        // SAFETY of the section: the dynamic linker calls the functions that stand in it,
        // with arguments that this one does not look at.
        #[used]
        #[unsafe(link_section = ".init_array")]
        static BEGIN: extern "C" fn() = $crate::doors::pcsclite::begin;

        // SAFETY of the names: this library is what programs take for libpcsclite, which
        // alone defines them.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn SCardListReaderGroups(
            context: ::std::ffi::c_long,
            groups: *mut ::std::ffi::c_char,
            length: *mut ::std::ffi::c_ulong,
        ) -> ::std::ffi::c_long {
            // SAFETY: the caller keeps the contract of the PC/SC function.
            unsafe { $crate::doors::pcsclite::list_reader_groups(context, groups, length) }
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn SCardFreeMemory(
            context: ::std::ffi::c_long,
            memory: *const ::std::ffi::c_void,
        ) -> ::std::ffi::c_long {
            // SAFETY: the caller keeps the contract of the PC/SC function.
            unsafe { $crate::doors::pcsclite::free_memory(context, memory) }
        }

        #[unsafe(no_mangle)]
        extern "C" fn pcsc_stringify_error(code: ::std::ffi::c_long) -> *const ::std::ffi::c_char {
            $crate::doors::pcsclite::stringify_error(code)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_here_as_a_code() {
        assert_eq!(answer(|| panic!("shown above, and no matter")), 0x8010_0001);
    }

    #[test]
    fn bytes_are_given_into_a_buffer_into_memory_or_as_a_length() {
        let bytes = [1, 2, 3, 4];
        let (mut buffer, mut length) = ([0; 3], 3);
        // SAFETY: the buffer has that length.
        let short = unsafe { give(&bytes, buffer.as_mut_ptr(), &mut length) };
        assert_eq!((short, buffer, length), (Err(Code::INSUFFICIENT_BUFFER), [1, 2, 3], 4));
        let (mut memory, mut length) = (std::ptr::null_mut::<u8>(), AUTOALLOCATE);
        // SAFETY: the buffer has room for a pointer.
        unsafe { give(&bytes, (&raw mut memory).cast(), &mut length) }.unwrap();
        // SAFETY: so many bytes were allocated and filled, and nobody else has them.
        unsafe {
            assert_eq!((std::slice::from_raw_parts(memory, 4), length), (&bytes[..], 4));
            libc::free(memory.cast());
        }
        for (length_before, result) in [(0, Ok(())), (AUTOALLOCATE, Err(Code::INVALID_PARAMETER))] {
            let mut length = length_before;
            // SAFETY: the buffer is null.
            assert_eq!(unsafe { give(&bytes, std::ptr::null_mut(), &mut length) }, result);
            assert_eq!(length, 4);
        }
    }
}
