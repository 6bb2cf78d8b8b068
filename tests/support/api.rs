//! A program that uses the API as the owner: signed in through the pages, with the session's cookie and token.

use serde_json::Value;

use pdms::web::admin::session::COOKIE;

use super::confirmation;
use super::openapi;
use super::phone::{Phone, Response};
use super::server::{OWNER_EMAIL, OWNER_PASSWORD, Server};

/// Where the default account's resources are.
pub const ACCOUNT: &str = "/api/v1/accounts/default";

/// A caller of the API.
#[derive(Clone, Debug)]
pub struct Api {
    client: Phone,
}

impl Api {
    /// Nobody: without cookie and token.
    pub fn stranger(server: &Server) -> Self {
        Self { client: Phone::bare(server) }
    }

    /// The owner.
    pub fn owner(server: &Server) -> Self {
        let mut api = Self::cookie_only(server);
        let session = api.ok("GET", "/api/v1/session", None);
        let token = session["csrf_token"].as_str().expect("a token").to_owned();
        api.client = api.client.with("X-CSRF-Token", &token);
        api
    }

    /// The owner's browser as another site would use it: the cookie, but not the token.
    pub fn cookie_only(server: &Server) -> Self {
        let mut client = Phone::bare(server);
        let mut page = client.get("/admin/sign-in");
        for (path, field, text) in
            [("/admin/sign-in", "email", OWNER_EMAIL), ("/admin/sign-in/password", "password", OWNER_PASSWORD)]
        {
            client = with_cookie(client, &page);
            let fields = [("csrf", form_token(&page)), ("email", OWNER_EMAIL.to_owned()), (field, text.to_owned())];
            let body = serde_urlencoded::to_string(fields).expect("a form");
            let sent =
                client.clone().with("Content-Type", "application/x-www-form-urlencoded").ask("POST", path, Some(body.as_bytes()));
            assert_eq!(sent.status, 303, "{}", sent.text());
            client = with_cookie(client, &sent);
            page = client.get(sent.header("location").expect("a next page"));
        }
        Self { client }
    }

    /// With a header, in place of one of the same name.
    pub fn with(self, name: &str, value: &str) -> Self {
        Self { client: self.client.with(name, value) }
    }

    /// Any call. A path that does not begin with `/api` is one of the default account's.
    pub fn call(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let client = self.client.clone().with("Content-Type", "application/json");
        self.asked(&client, method, path, body.map(|body| body.to_string()).as_deref().map(str::as_bytes))
    }

    /// A call with a file as its body.
    pub fn send(&self, method: &str, path: &str, file: &[u8]) -> Response {
        self.asked(&self.client.clone().with("Content-Type", "application/xml"), method, path, Some(file))
    }

    /// A call with a body that calls itself JSON, whatever it is.
    pub fn send_json(&self, method: &str, path: &str, body: &[u8]) -> Response {
        self.asked(&self.client.clone().with("Content-Type", "application/json"), method, path, Some(body))
    }

    /// Every answer is held against the description of the API.
    fn asked(&self, client: &Phone, method: &str, path: &str, body: Option<&[u8]>) -> Response {
        let response = client.ask(method, &full(path), body);
        openapi::check(method, &full(path), &response);
        response
    }

    /// Sends the fields of an object as a form of the pages, and says yes where it is asked for what the form does to devices.
    pub fn form(&self, page: &str, fields: &Value) -> Response {
        let answer = self.form_once(page, fields);
        let Some([(form, word), (mark, shown)]) = confirmation(&answer.text()) else { return answer };
        self.form_once(page, &serde_json::json!({ form: word, mark: shown }))
    }

    /// The same without saying yes.
    pub fn form_once(&self, page: &str, fields: &Value) -> Response {
        let fields = fields.as_object().expect("an object").iter();
        let pair = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        self.forms_once(page, &fields.map(pair).collect::<Vec<_>>())
    }

    /// The same of fields that may come several times.
    pub fn forms_once(&self, page: &str, fields: &[(String, String)]) -> Response {
        let body = serde_urlencoded::to_string(fields).expect("a form");
        let client = self.client.clone().with("Content-Type", "application/x-www-form-urlencoded");
        client.ask("POST", page, Some(body.as_bytes()))
    }

    /// Sends a form with files: the token first, then fields without and files with a name of their own.
    pub fn upload(&self, page: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Response {
        let token = form_token(&self.client.get(page));
        let mut body = Vec::new();
        for (field, file, content) in [("csrf", None, token.as_bytes())].iter().chain(parts) {
            let file = file.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"{file}\r\n\r\n").into_bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        self.client.clone().with("Content-Type", "multipart/form-data; boundary=b").ask("POST", page, Some(&body))
    }

    /// Any request, as it is written.
    pub fn raw(&self, method: &str, path: &str, body: &[u8]) -> Response {
        self.client.ask(method, path, Some(body))
    }

    /// A form with files, as a browser sends it.
    pub fn multipart(&self, page: &str, boundary: &str, body: &[u8]) -> Response {
        let kind = format!("multipart/form-data; boundary={boundary}");
        self.client.clone().with("Content-Type", &kind).ask("POST", page, Some(body))
    }

    /// A page, in the same sign-in.
    pub fn page(&self, path: &str) -> Response {
        self.client.get(path)
    }

    /// A call that must succeed; its answer.
    pub fn ok(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let response = self.call(method, path, body);
        assert!((200..300).contains(&response.status), "{method} {path}: {} {}", response.status, response.text());
        json(&response)
    }

    /// A call that must be refused; its status and the fields with their messages.
    pub fn refused(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Vec<(String, String)>) {
        problem(&self.call(method, path, body))
    }
}

/// The JSON of an answer; null without a body.
pub fn json(response: &Response) -> Value {
    if response.body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&response.body).unwrap_or_else(|e| panic!("{e}: {}", response.text()))
}

/// Status and fields of a refusal, which must be a problem as RFC 9457 has it.
pub fn problem(response: &Response) -> (u16, Vec<(String, String)>) {
    let problem = json(response);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{problem}");
    assert_eq!(problem["status"], response.status);
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    (response.status, errors.iter().map(|e| (text(&e["field"]), text(&e["message"]))).collect())
}

fn full(path: &str) -> String {
    if path.starts_with("/api") { path.to_owned() } else { format!("{ACCOUNT}{path}") }
}

fn with_cookie(client: Phone, answer: &Response) -> Phone {
    let mut set = answer.headers("set-cookie").filter(|line| line.split('=').next() == Some(COOKIE));
    match set.find_map(|line| line.split(';').next()) {
        Some(cookie) => client.with("Cookie", cookie),
        None => client,
    }
}

fn form_token(page: &Response) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form: {text}"));
    rest.split('"').next().expect("a token").to_owned()
}
