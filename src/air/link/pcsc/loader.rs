//! The PC/SC client library, opened at first use. The crate `pcsc` wants its 16
//! functions and 3 statics at link time; here they are, each passing its call to
//! `libpcsclite.so.1`. So the binary builds where no development package is, and
//! starts where no PC/SC is: then every call answers `SCARD_E_NO_SERVICE`.
//!
//! The lines `PCSC_LIB_DIR` and `PCSC_LIB_NAME` of `.cargo/config.toml` belong to
//! this: they keep the build script of `pcsc-sys` from looking for the library.
//! Cargo reads them in a checkout (`cargo build`, `cargo install --path .`), not
//! when a package is installed by name; there the build needs `pkgconf` and
//! `libpcsclite-dev`, or the two variables set by hand. The functions below are
//! used in both cases, for the linker takes an object before a shared library.
//!
//! The drop-in library of `doors::pcsclite` is this crate too. It cannot export the same
//! names again, so it hands its own functions to [`answer_with`] before the first call.
//!
//! No other `unsafe` belongs here, and nothing that knows what an APDU is.

// A foreign interface cannot be had without: symbols are exported under the names
// that `pcsc-sys` declares, and a shared library is opened and called.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::OnceLock;

use pcsc::ffi::{
    DWORD, LONG, SCARD_E_NO_SERVICE, SCARD_IO_REQUEST, SCARD_PROTOCOL_RAW, SCARD_PROTOCOL_T0,
    SCARD_PROTOCOL_T1, SCARD_READERSTATE, SCARDCONTEXT, SCARDHANDLE,
};

/// The name that every distribution gives the library of pcsc-lite since 1.0.
const SONAME: &CStr = c"libpcsclite.so.1";

/// Whether the PC/SC library can be used. Opens it when this is the first use.
///
/// # Errors
/// [`Missing`], with the words of the dynamic linker.
pub(super) fn ready() -> Result<(), &'static Missing> {
    library().map(|_| ())
}

/// The library is not on this machine, or lacks a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the PC/SC library {library} cannot be used ({reason})")]
pub(super) struct Missing {
    /// The file name asked for.
    library: String,
    /// What the dynamic linker said.
    reason: String,
}

/// Makes these functions answer every PC/SC call of this process, instead of the library
/// on this machine. `false` where the library was in use already: then nothing changes.
///
/// # Safety
/// Each function keeps the contract of `winscard.h` for the PC/SC function of its name.
pub unsafe fn answer_with(functions: Library) -> bool {
    LIBRARY.set(Ok(functions)).is_ok()
}

/// The library of this process: one attempt, its result kept.
static LIBRARY: OnceLock<Result<Library, Missing>> = OnceLock::new();

/// The library, opened when this is the first use.
fn library() -> Result<&'static Library, &'static Missing> {
    #[cfg(test)]
    if let Some(missing) = tests::hidden() {
        return Err(missing);
    }
    LIBRARY.get_or_init(|| Library::open(SONAME)).as_ref()
}

/// Declares [`Library`] with one field a function, and exports each function under
/// its own name. Every signature is that of `winscard.h` as `pcsc-sys` has it.
macro_rules! pass_on {
    ($(fn $name:ident($($arg:ident: $kind:ty),* $(,)?);)+) => {
        /// The functions of a PC/SC library: of the one that was opened and is never closed,
        /// or those that stand in for it.
        #[allow(non_snake_case)] // The fields carry the names of the C interface.
        #[derive(Clone, Copy)]
        pub struct Library {
            $(#[doc = concat!("`", stringify!($name), "` of `winscard.h`.")]
            pub $name: unsafe extern "C" fn($($kind),*) -> LONG,)+
        }

        impl Library {
            /// Opens the shared library `name` and finds every function in it.
            fn open(name: &CStr) -> Result<Self, Missing> {
                let handle = open(name)?;
                Ok(Self {$(
                    $name: {
                        let address = find(name, handle, stringify!($name))?;
                        // SAFETY: `address` is not null (`find` saw to that) and is that of the
                        // function of this name, whose signature winscard.h fixes as given here.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($kind),*) -> LONG>(address) }
                    },
                )+})
            }
        }

        $(
            /// Passes the call to the function of the same name in the library.
            ///
            /// # Safety
            /// As the PC/SC function: pointers are valid for the lengths given with them.
            // SAFETY of the name: in a program that links this crate it is the only definition;
            // the library is opened RTLD_LOCAL, so its own stays its own.
            #[unsafe(no_mangle)]
            #[allow(non_snake_case)] // The name is the C interface's.
            unsafe extern "C" fn $name($($arg: $kind),*) -> LONG {
                match library() {
                    // SAFETY: the caller keeps the contract of the PC/SC function, and the
                    // arguments go on unchanged.
                    Ok(library) => unsafe { (library.$name)($($arg),*) },
                    Err(_) => SCARD_E_NO_SERVICE,
                }
            }
        )+
    };
}

pass_on! {
    fn SCardEstablishContext(
        scope: DWORD, reserved_1: *const c_void, reserved_2: *const c_void, context: *mut SCARDCONTEXT,
    );
    fn SCardReleaseContext(context: SCARDCONTEXT);
    fn SCardIsValidContext(context: SCARDCONTEXT);
    fn SCardCancel(context: SCARDCONTEXT);
    fn SCardConnect(
        context: SCARDCONTEXT, reader: *const c_char, share_mode: DWORD, protocols: DWORD,
        card: *mut SCARDHANDLE, protocol: *mut DWORD,
    );
    fn SCardReconnect(
        card: SCARDHANDLE, share_mode: DWORD, protocols: DWORD, initialization: DWORD, protocol: *mut DWORD,
    );
    fn SCardDisconnect(card: SCARDHANDLE, disposition: DWORD);
    fn SCardGetStatusChange(
        context: SCARDCONTEXT, timeout_ms: DWORD, states: *mut SCARD_READERSTATE, count: DWORD,
    );
    fn SCardListReaders(context: SCARDCONTEXT, groups: *const c_char, readers: *mut c_char, length: *mut DWORD);
    fn SCardBeginTransaction(card: SCARDHANDLE);
    fn SCardEndTransaction(card: SCARDHANDLE, disposition: DWORD);
    fn SCardStatus(
        card: SCARDHANDLE, reader: *mut c_char, reader_length: *mut DWORD, state: *mut DWORD,
        protocol: *mut DWORD, atr: *mut u8, atr_length: *mut DWORD,
    );
    fn SCardGetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *mut u8, length: *mut DWORD);
    fn SCardSetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *const u8, length: DWORD);
    fn SCardTransmit(
        card: SCARDHANDLE, send_pci: *const SCARD_IO_REQUEST, send: *const u8, send_length: DWORD,
        receive_pci: *mut SCARD_IO_REQUEST, receive: *mut u8, receive_length: *mut DWORD,
    );
    fn SCardControl(
        card: SCARDHANDLE, code: DWORD, send: *const u8, send_length: DWORD,
        receive: *mut u8, receive_length: DWORD, returned: *mut DWORD,
    );
}

/// A protocol control information header, as `winscard.h` predefines three.
const fn pci(protocol: DWORD) -> SCARD_IO_REQUEST {
    SCARD_IO_REQUEST { dwProtocol: protocol, cbPciLength: size_of::<SCARD_IO_REQUEST>() as DWORD }
}

// SAFETY of the three names: as with the functions above. They are constants by value,
// so that they need no library.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)] // The name is the C interface's.
static g_rgSCardT0Pci: SCARD_IO_REQUEST = pci(SCARD_PROTOCOL_T0);
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)] // The name is the C interface's.
static g_rgSCardT1Pci: SCARD_IO_REQUEST = pci(SCARD_PROTOCOL_T1);
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)] // The name is the C interface's.
static g_rgSCardRawPci: SCARD_IO_REQUEST = pci(SCARD_PROTOCOL_RAW);

/// Opens a shared library for the life of the process.
fn open(name: &CStr) -> Result<*mut c_void, Missing> {
    // SAFETY: `name` ends in a NUL. The library's initialisers run, as they would have
    // at the start of a program that links it.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() { Err(missing(name)) } else { Ok(handle) }
}

/// The address of a function in an opened library; never null.
fn find(library: &CStr, handle: *mut c_void, function: &str) -> Result<*mut c_void, Missing> {
    let Ok(symbol) = CString::new(function) else { return Err(missing(library)) };
    // SAFETY: `handle` came from `dlopen` and is never closed; `symbol` ends in a NUL.
    let address = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
    if address.is_null() { Err(missing(library)) } else { Ok(address) }
}

/// The dynamic linker's last error on this thread, in its words.
fn missing(library: &CStr) -> Missing {
    // SAFETY: dlerror may be called at any time, from any thread.
    let message = unsafe { libc::dlerror() };
    let reason = if message.is_null() {
        String::from("no reason given")
    } else {
        // SAFETY: not null, so a C string of the C library, valid until this thread's next dl call.
        unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
    };
    Missing { library: library.to_string_lossy().into_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let missing = Library::open(c"libpcsclite-not-here.so.1").err().expect("there is no such library");
        let text = missing.to_string();
        assert!(text.contains("libpcsclite-not-here.so.1: cannot open shared object file"), "{text}");
    }

    #[test]
    fn a_library_without_the_functions_is_refused() {
        let missing = Library::open(c"libc.so.6").err().expect("the C library knows no smart card");
        assert!(missing.to_string().contains("SCardEstablishContext"), "{missing}");
    }

    thread_local! {
        /// Set in the one thread that plays a machine without the library.
        static HIDDEN: Cell<bool> = const { Cell::new(false) };
    }

    /// What opening the library came to, where this thread plays a machine without it.
    pub(super) fn hidden() -> Option<&'static Missing> {
        static MISSING: OnceLock<Option<Missing>> = OnceLock::new();
        let missing = || Library::open(c"libpcsclite-not-here.so.1").err();
        if HIDDEN.get() { MISSING.get_or_init(missing).as_ref() } else { None }
    }

    #[test]
    fn without_the_library_there_is_no_service() {
        HIDDEN.set(true);
        assert!(ready().is_err());
        assert_eq!(pcsc::Context::establish(pcsc::Scope::User).err(), Some(pcsc::Error::NoService));
    }

    /// Holds on a machine with the library and no daemon, with both, and with neither.
    #[test]
    fn establishing_a_context_answers() {
        match (ready(), pcsc::Context::establish(pcsc::Scope::User)) {
            (Ok(()), Ok(context)) => assert!(context.is_valid().is_ok()),
            (Ok(()) | Err(_), Err(error)) => assert_eq!(error, pcsc::Error::NoService),
            (Err(missing), Ok(_)) => panic!("a context without a library: {missing}"),
        }
    }
}
