//! What a person is shown: the standard messages of EMV Book 4 11.2 and of EMV Contactless
//! Book A table 9-4.

/// A message, by the identifier that both books give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    /// 03.
    Approved,
    /// 07.
    NotAuthorised,
    /// 0A.
    IncorrectPin,
    /// 0C.
    NotAccepted,
    /// 0D.
    PinOk,
    /// 13.
    TryAgain,
    /// 18.
    InsertOrSwipe,
    /// 1A.
    ApprovedSign,
    /// 1C.
    TryAnotherCard,
    /// 1D.
    InsertCard,
    /// 20.
    SeePhone,
    /// 21.
    PresentAgain,
}

impl Message {
    /// Its identifier.
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Approved => 0x03,
            Self::NotAuthorised => 0x07,
            Self::IncorrectPin => 0x0A,
            Self::NotAccepted => 0x0C,
            Self::PinOk => 0x0D,
            Self::TryAgain => 0x13,
            Self::InsertOrSwipe => 0x18,
            Self::ApprovedSign => 0x1A,
            Self::TryAnotherCard => 0x1C,
            Self::InsertCard => 0x1D,
            Self::SeePhone => 0x20,
            Self::PresentAgain => 0x21,
        }
    }

    /// What the person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::NotAuthorised => "not authorised",
            Self::IncorrectPin => "incorrect PIN",
            Self::NotAccepted => "not accepted",
            Self::PinOk => "PIN OK",
            Self::TryAgain => "try again",
            Self::InsertOrSwipe => "please insert or swipe the card",
            Self::ApprovedSign => "approved, please sign",
            Self::TryAnotherCard => "insert, swipe or try another card",
            Self::InsertCard => "please insert the card",
            Self::SeePhone => "see the phone for instructions, then present it again",
            Self::PresentAgain => "present the card again",
        }
    }

    /// The same in a language of two letters (ISO 639-1), where it is Chinese; in English else.
    pub fn words_in(self, language: &str) -> &'static str {
        match (language, self) {
            ("zh", Self::Approved) => "交易成功",
            ("zh", Self::NotAuthorised) => "交易拒绝",
            ("zh", Self::IncorrectPin) => "密码错误",
            ("zh", Self::NotAccepted) => "不接受",
            ("zh", Self::PinOk) => "密码正确",
            ("zh", Self::TryAgain) => "请重试",
            ("zh", Self::InsertOrSwipe) => "请插卡或刷卡",
            ("zh", Self::ApprovedSign) => "交易成功，请签名",
            ("zh", Self::TryAnotherCard) => "请插卡、刷卡或换一张卡",
            ("zh", Self::InsertCard) => "请插卡",
            ("zh", Self::SeePhone) => "请查看手机提示后再次挥卡",
            ("zh", Self::PresentAgain) => "请再次挥卡",
            _ => self.words(),
        }
    }
}
