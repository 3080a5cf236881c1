//! Browser side. Looks at what was typed into the field.

use leptos::{html::Input, prelude::*};

use super::Remark;
use crate::profile::{
    assistant::browser::chosen_hint,
    password::{InnerSpaces, clean},
};

/// Cleans the field where that is safe or asked for (`force`), and says what was found.
pub(super) fn look(input: NodeRef<Input>, force: bool) -> Remark {
    let Some(input) = input.get_untracked() else { return Remark::Nothing };
    let cosmetic = chosen_hint().is_some_and(|hint| hint.cosmetic_spaces);
    let cleaned = clean(&input.value(), if cosmetic { InnerSpaces::Cosmetic } else { InnerSpaces::Significant });
    match cleaned.removed() {
        0 => Remark::Nothing,
        n if cosmetic || force => {
            input.set_value(&cleaned.value);
            let _ = input.focus();
            Remark::Removed(n)
        }
        n => Remark::Found(n),
    }
}
