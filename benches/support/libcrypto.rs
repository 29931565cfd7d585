//! DES of the system's libcrypto, loaded at run time: the rival in benchmarks. Nothing is
//! linked; where there is none, or no DES in it, there is no rival.

#![allow(unsafe_code, reason = "functions of a C library are called")]

use std::ffi::{CStr, c_int, c_long, c_void};

/// `DES_key_schedule`: sixteen rounds of eight bytes.
type Schedule = [u64; 16];
type Block = [u8; 8];

type SetKey = unsafe extern "C" fn(*const Block, *mut Schedule);
type Ecb3 =
    unsafe extern "C" fn(*const Block, *mut Block, *const Schedule, *const Schedule, *const Schedule, c_int);
type Ecb = unsafe extern "C" fn(*const Block, *mut Block, *const Schedule, c_int);
type Cbc = unsafe extern "C" fn(*const u8, *mut u8, c_long, *const Schedule, *mut Block, c_int);

/// The functions that a cryptogram needs.
pub(crate) struct Libcrypto {
    set_key: SetKey,
    ecb3: Ecb3,
    ecb: Ecb,
    cbc: Cbc,
}

const ENCRYPT: c_int = 1;
const DECRYPT: c_int = 0;

impl Libcrypto {
    /// Loads it, if it is there.
    pub(crate) fn load() -> Option<Self> {
        // SAFETY: the names are C strings; the types are those of openssl/des.h, which has
        // not changed them since 1.0; the library stays loaded.
        unsafe {
            let library = [c"libcrypto.so.3", c"libcrypto.so.1.1"]
                .into_iter()
                .map(|name| libc::dlopen(name.as_ptr(), libc::RTLD_NOW))
                .find(|library| !library.is_null())?;
            let find = |name: &CStr| {
                let found = libc::dlsym(library, name.as_ptr());
                (!found.is_null()).then_some(found)
            };
            Some(Self {
                set_key: std::mem::transmute::<*mut c_void, SetKey>(find(c"DES_set_key_unchecked")?),
                ecb3: std::mem::transmute::<*mut c_void, Ecb3>(find(c"DES_ecb3_encrypt")?),
                ecb: std::mem::transmute::<*mut c_void, Ecb>(find(c"DES_ecb_encrypt")?),
                cbc: std::mem::transmute::<*mut c_void, Cbc>(find(c"DES_ncbc_encrypt")?),
            })
        }
    }

    /// PBOC's session key, then the retail MAC over whole blocks.
    pub(crate) fn session_key_and_mac(&self, key: &[u8; 16], atc: [u8; 2], padded: &[u8; 48]) -> Block {
        let ([left, right], [high, low]) = (self.schedules(key), atc);
        let mut session = [0; 16];
        let inputs = [[0, 0, 0, 0, 0, 0, high, low], [0, 0, 0, 0, 0, 0, !high, !low]];
        for (input, half) in inputs.iter().zip(session.as_chunks_mut::<8>().0) {
            // SAFETY: every pointer is to a value of its type that lives through the call.
            unsafe { (self.ecb3)(input, half, &left, &right, &left, ENCRYPT) };
        }
        let [left, right] = self.schedules(&session);
        let (mut out, mut chain) = ([0u8; 48], [0; 8]);
        let (mut inner, mut mac) = ([0; 8], [0; 8]);
        // SAFETY: as above; `out` is as long as the input.
        unsafe {
            (self.cbc)(padded.as_ptr(), out.as_mut_ptr(), 48, &left, &mut chain, ENCRYPT);
            (self.ecb)(&chain, &mut inner, &right, DECRYPT);
            (self.ecb)(&inner, &mut mac, &left, ENCRYPT);
        }
        mac
    }

    fn schedules(&self, key: &[u8; 16]) -> [Schedule; 2] {
        let mut schedules = [[0; 16]; 2];
        for (half, schedule) in key.as_chunks::<8>().0.iter().zip(&mut schedules) {
            // SAFETY: as above.
            unsafe { (self.set_key)(half, schedule) };
        }
        schedules
    }
}
