//! A cart that fits its cookie, until it does not.

use axum::response::Redirect;
use sealed_session::{Session, SessionError};
use serde::{Deserialize, Serialize};

use crate::pages::{Page, escape};
use crate::{Answer, see_other};

const GOODS: [(&str, u32); 6] = [
    ("Oat biscuits", 320),
    ("Sealing wax, red", 790),
    ("A ring of brass keys", 2400),
    ("Envelope, cream, laid paper", 45),
    ("Padlock with two keys", 1350),
    ("Fountain pen ink, blue", 980),
];
const NOTE: &str = "Please wrap it as a gift, with the blue ribbon, and leave the price tag off. Thank you!";
const ITEMS_OF_A_FULL_CART: usize = 40;

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    cents: u32,
    note: String,
}

pub(crate) async fn show(session: Session) -> Answer {
    let page = Page::new(&session, "Your cart")?;
    let items: Vec<Item> = session.get_or("cart", Vec::new())?;
    let total: u32 = items.iter().map(|item| item.cents).sum();
    let rows: String = items
        .iter()
        .map(|item| {
            format!(
                "<tr><td>{}<td class=note>{}<td class=price>{}",
                escape(&item.name),
                escape(&item.note),
                euros(item.cents)
            )
        })
        .collect();
    let list = if items.is_empty() {
        "<p class=lead>Your cart is empty.</p>".to_owned()
    } else {
        let total = euros(total);
        format!(
            "<table><tr><th>Article<th>Note<th class=price>Price{rows}<tr class=total><td>Total<td><td class=price>{total}</table>"
        )
    };
    let count = items.len();
    page.html(&format!(
        "<p><b id=items>{count}</b> articles. A small cart travels in the cookie; a large one moves to the server's store \
         and comes back when it has shrunk. <a href=/session>See where it is</a>.</p>\
         <div class=buttons>{add}{fill}{empty}</div>{list}",
        add = page.form("/cart/add", "<button id=add>Add an article</button>")?,
        fill = page.form("/cart/fill", "<button id=fill>Fill the cart</button>")?,
        empty = page.form("/cart/empty", "<button id=empty class=quiet>Empty it</button>")?,
    ))
}

pub(crate) async fn add(session: Session) -> Result<Redirect, SessionError> {
    if let Some(name) = put_item(&session)? {
        session.flash("notice", &format!("{name}: now in your cart."))?;
    }
    Ok(see_other("/cart"))
}

pub(crate) async fn fill(session: Session) -> Result<Redirect, SessionError> {
    for _ in count(&session)?..ITEMS_OF_A_FULL_CART {
        put_item(&session)?;
    }
    session.flash("notice", "Your cart is full.")?;
    Ok(see_other("/cart"))
}

pub(crate) async fn empty(session: Session) -> Result<Redirect, SessionError> {
    session.forget("cart")?;
    session.flash("notice", "Everything is back on its shelf.")?;
    Ok(see_other("/cart"))
}

/// Puts the next article into the cart, and tells its name.
fn put_item(session: &Session) -> Result<Option<&'static str>, SessionError> {
    let Some((name, cents)) = GOODS.iter().cycle().nth(count(session)?) else { return Ok(None) };
    session.push("cart", &Item { name: (*name).to_owned(), cents: *cents, note: NOTE.to_owned() })?;
    Ok(Some(name))
}

fn count(session: &Session) -> Result<usize, SessionError> {
    Ok(session.get::<Vec<Item>>("cart")?.map_or(0, |items| items.len()))
}

fn euros(cents: u32) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}
