//! Numbers: added up, and in the one form that each has.

use std::ops::Neg;

use serde_json::Number;

/// What a number in a session is incremented by.
///
/// An integer on an integer gives an integer, and an error where the sum does not fit 64 bits (`i64` or `u64`). Where
/// either is a floating-point number, so is the sum.
///
/// ```
/// use sealed_session::Amount;
///
/// assert_eq!(Amount::from(3), Amount::from(3_u64));
/// assert_eq!(-Amount::from(0.5), Amount::from(-0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // 128 bits, so that every 64-bit amount has a negative.
    Integer(i128),
    Float(f64),
}

macro_rules! amount_from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Amount {
            fn from(integer: $integer) -> Self {
                Self(Kind::Integer(i128::from(integer)))
            }
        }
    )*};
}

amount_from_integer!(i32, u32, i64, u64);

impl From<f64> for Amount {
    fn from(float: f64) -> Self {
        Self(Kind::Float(float))
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        match self.0 {
            Kind::Integer(integer) => Self(Kind::Integer(integer.saturating_neg())),
            Kind::Float(float) => Self(Kind::Float(-float)),
        }
    }
}

/// The number with the amount on top.
///
/// # Errors
///
/// What is wrong with the sum.
pub(crate) fn sum(number: &Number, amount: Amount) -> Result<Number, &'static str> {
    let amount = match (amount.0, integer_of(number)) {
        (Kind::Integer(amount), Some(integer)) => {
            return integer
                .checked_add(amount)
                .and_then(from_integer)
                .ok_or("the sum does not fit 64 bits; keep it as text, or as a floating-point number");
        }
        #[expect(clippy::cast_precision_loss, reason = "a sum with a floating-point number is as wide as that")]
        (Kind::Integer(amount), None) => amount as f64,
        (Kind::Float(amount), _) => amount,
    };
    number
        .as_f64()
        .and_then(|float| Number::from_f64(float + amount))
        .ok_or("the sum is not finite, and JSON has no such number")
}

/// The integer as a JSON number, where 64 bits hold it.
pub(crate) fn from_integer(integer: i128) -> Option<Number> {
    i64::try_from(integer).map(Number::from).or_else(|_| u64::try_from(integer).map(Number::from)).ok()
}

/// Whether both are written alike. `1` and `1.0` are not, nor are `0.0` and `-0.0`.
pub(crate) fn identical_numbers(left: &Number, right: &Number) -> bool {
    left == right && left.as_f64().map(f64::to_bits) == right.as_f64().map(f64::to_bits)
}

/// The number in the one form that it has without `arbitrary_precision`, which keeps the text that was read.
///
/// `None` where neither a 64-bit integer nor a finite float holds it.
pub(crate) fn canonical(number: &Number) -> Option<Number> {
    match (number.as_i64(), number.as_u64()) {
        // The text `-0`, which reads as the float elsewhere.
        (Some(0), None) => Number::from_f64(-0.0),
        (Some(integer), _) => Some(Number::from(integer)),
        (None, Some(integer)) => Some(Number::from(integer)),
        (None, None) if number.is_f64() => number.as_f64().and_then(Number::from_f64),
        (None, None) => None,
    }
}

/// Whether this may have been an integer beyond 64 bits in the text: `serde_json` rounds those to floats.
pub(crate) fn could_be_rounded(number: &Number) -> bool {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= TWO_TO_63)
}

fn integer_of(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::shape::has_number_beyond_64_bits;

    fn text(sum: Result<Number, &'static str>) -> String {
        sum.unwrap().to_string()
    }

    fn float(float: f64) -> Number {
        Number::from_f64(float).unwrap()
    }

    #[test]
    fn integers_add_to_integers() {
        assert_eq!(text(sum(&Number::from(5), Amount::from(-7))), "-2");
        assert_eq!(text(sum(&Number::from(u64::MAX), Amount::from(i64::MIN))), "9223372036854775807");
        assert_eq!(text(sum(&Number::from(i64::MIN), Amount::from(u64::MAX))), "9223372036854775807");
    }

    #[test]
    fn one_float_makes_a_float() {
        assert_eq!(text(sum(&Number::from(1), Amount::from(1.0))), "2.0");
        assert_eq!(text(sum(&float(1.5), Amount::from(1))), "2.5");
        assert_eq!(text(sum(&float(1.5), Amount::from(-1.5))), "0.0");
    }

    #[test]
    fn an_integer_sum_beyond_64_bits_is_refused() {
        assert!(sum(&Number::from(u64::MAX), Amount::from(1)).unwrap_err().contains("64 bits"));
        assert!(sum(&Number::from(i64::MIN), Amount::from(-1)).unwrap_err().contains("64 bits"));
        assert!(sum(&Number::from(0), -Amount::from(u64::MAX)).unwrap_err().contains("64 bits"));
    }

    #[test]
    fn a_sum_that_is_not_finite_is_refused() {
        for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert!(sum(&float(f64::MAX), Amount::from(amount)).unwrap_err().contains("not finite"), "{amount}");
        }
    }

    #[test]
    fn every_integer_amount_has_a_negative() {
        assert_eq!(text(sum(&Number::from(0), -Amount::from(i64::MIN))), "9223372036854775808");
    }

    #[test]
    fn numbers_that_are_written_differently_are_not_identical() {
        assert!(!identical_numbers(&Number::from(1), &float(1.0)));
        assert!(!identical_numbers(&float(0.0), &float(-0.0)));
        assert!(identical_numbers(&float(0.1), &float(0.1)));
        assert!(identical_numbers(&Number::from(u64::MAX), &Number::from(u64::MAX)));
    }

    proptest! {
        #[test]
        fn exactly_the_integers_that_64_bits_do_not_hold_are_found(integer in any::<i128>(), shift in 0_u32..128) {
            let integer = integer >> shift;
            let fits = from_integer(integer).is_some();
            prop_assert_eq!(has_number_beyond_64_bits(format!("[{integer}]").as_bytes()), !fits);
        }

        #[test]
        fn a_canonical_number_is_its_own_canonical_form(bits in any::<u64>()) {
            for number in [Number::from(bits), Number::from(bits.cast_signed())]
                .into_iter()
                .chain(Number::from_f64(f64::from_bits(bits)))
            {
                prop_assert!(canonical(&number).is_some_and(|form| identical_numbers(&form, &number)));
            }
        }
    }
}
