//! What the author of a service needs, in one line: `use chassis::prelude::*;`.

pub use axum::body::{Body, Bytes};
pub use chassis_macros::{
    component, conf, delete, get, handler, head, operations, operator, options, patch, post, put, route, schema,
};
pub use http::{HeaderMap, Method, StatusCode, Uri};

pub use crate::answer::{Accepted, Created, NoContent, Segment};
pub use crate::argument::{Argument, Deadline, Form, Header, Json, Path, Query};
pub use crate::component::{Component, Start, Starting};
pub use crate::condition::Operator;
pub use crate::conf::{BuildContext, BuildError, Configure, FileRef, Interval, Rate, Requirement, Secret, Size};
pub use crate::fault::{Code, Fault, Violation};
pub use crate::handler::{Handler, Next, Verdict, Wrap};
pub use crate::invocation::{Call, Invocation, Peer};
pub use crate::principal::Principal;
pub use crate::reply::Reply;
pub use crate::schema::BoxFuture;
pub use crate::trace::TraceContext;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use http::Request;
    use http_body_util::BodyExt;

    /// A service as its author writes it: nothing of chassis but the prelude is in reach.
    #[expect(unsafe_code, reason = "a linkme entry is a static in a link section")]
    mod library {
        use std::collections::BTreeMap;

        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        use crate::prelude::*;

        /// Lends books.
        #[schema("/prelude/books")]
        pub(super) struct Library {
            shelf: BTreeMap<u32, String>,
        }

        #[derive(Deserialize, Serialize, JsonSchema)]
        struct Book {
            title: String,
            pages: u16,
        }

        #[derive(Deserialize, JsonSchema)]
        struct Search {
            title: Option<String>,
            #[serde(default)]
            page: Vec<u16>,
        }

        #[derive(Deserialize, JsonSchema)]
        struct Tenant {
            x_tenant: u8,
        }

        #[operations]
        impl Library {
            /// Finds one.
            #[get("/{id}", public)]
            async fn find(&self, Path(id): Path<u32>) -> Result<Json<String>, Fault> {
                let title = self.shelf.get(&id).cloned();
                title.map(Json).ok_or_else(|| Fault::new(Code::NotFound, "There is no such book."))
            }

            /// Finds many.
            #[get("/", public)]
            async fn search(&self, Query(search): Query<Search>, Header(tenant): Header<Tenant>) -> String {
                format!("{:?} {:?} {}", search.title, search.page, tenant.x_tenant)
            }

            /// Keeps one.
            #[post("/", public)]
            async fn keep(&self, peer: Peer, Json(book): Json<Book>) -> Created<Book> {
                Created::at(format!("/prelude/books/{peer}/{}", Segment(&book.title)), book)
            }

            /// Changes one.
            #[put("/{id}", public)]
            async fn change(&self, Path(_): Path<u32>, Form(book): Form<Book>) -> (StatusCode, Json<Book>) {
                (StatusCode::ACCEPTED, Json(book))
            }

            /// Forgets one.
            #[delete("/{id}", public)]
            fn forget(&self, Path(_): Path<u32>, who: Option<Principal>, due: Deadline) -> NoContent {
                assert_eq!((who, due.at()), (None, None));
                NoContent
            }

            /// Takes what comes.
            #[post("/{id}/text", public)]
            async fn text(&self, Path(_): Path<u32>, method: Method, uri: Uri, text: String) -> Bytes {
                Bytes::from(format!("{method} {uri} {text}"))
            }

            /// Needs to know who asks.
            #[get("/mine", public)]
            async fn mine(&self, me: Principal) -> String {
                me.subject().to_owned()
            }
        }

        pub(super) fn library() -> Library {
            Library { shelf: BTreeMap::from([(7, "Emma".to_owned())]) }
        }
    }

    use super::*;
    use crate::invocation::fixture::matched;
    use crate::schema::mount;

    /// What an operation answers: status, body, and the value of `location`.
    fn answer(name: &str, request: Request<Body>) -> (u16, String) {
        let mounted = mount(Arc::new(library::library()));
        let id = format!("library.{name}");
        let found = mounted.into_iter().find(|mounted| mounted.operation.id == id).unwrap();
        let mut call = matched(&found.operation.template, request);
        let reply = found.endpoint.call(&mut call).now_or_never().unwrap();
        let response = reply.into_response(&call);
        let status = response.status().as_u16();
        let location = response.headers().get("location").map(|value| format!("{} ", value.to_str().unwrap()));
        let body = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        (status, location.unwrap_or_default() + str::from_utf8(&body).unwrap())
    }

    fn sent(method: &str, target: &str, kind: &str, body: &'static str) -> Request<Body> {
        let request = Request::builder().method(method).uri(target).header("content-type", kind);
        request.header("x-tenant", "3").body(Body::from(body)).unwrap()
    }

    #[test]
    fn operations_take_and_give_what_their_types_say() {
        let asked = |name, method, target, kind, body| {
            let (status, text) = answer(name, sent(method, target, kind, body));
            format!("{status} {text}")
        };
        let find = |target| asked("find", "GET", target, "", "");
        assert_eq!(find("/prelude/books/7"), r#"200 "Emma""#);
        assert!(find("/prelude/books/8").starts_with("404 {"));
        assert!(find("/prelude/books/x").contains(r#""violations":[{"in":"path","pointer":"/id""#));
        let search = asked("search", "GET", "/prelude/books?title=E%20M&page=1&page=2", "", "");
        assert_eq!(search, r#"200 Some("E M") [1, 2] 3"#);
        let keep = asked("keep", "POST", "/prelude/books", "application/json", r#"{"title": "A/B", "pages": 9}"#);
        assert_eq!(keep, r#"201 /prelude/books/local/A%2FB {"title":"A/B","pages":9}"#);
        let form = "application/x-www-form-urlencoded";
        assert_eq!(
            asked("change", "PUT", "/prelude/books/7", form, "title=C&pages=1"),
            r#"202 {"title":"C","pages":1}"#
        );
        assert_eq!(asked("forget", "DELETE", "/prelude/books/7", "", ""), "204 ");
        assert_eq!(asked("text", "POST", "/prelude/books/7/text", "", "hi"), "200 POST /prelude/books/7/text hi");
        assert!(asked("mine", "GET", "/prelude/books/mine", "", "").starts_with("401 {"));
    }
}
