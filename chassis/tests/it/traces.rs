//! How much is recorded of whom, where configuration says different things for different operations.

use chassis::prelude::*;
use chassis::testing::TestApp;

use crate::rig::{answering, service};

async fn flags(app: &TestApp, path: &str) -> String {
    let answer = app.get(path).send().await;
    let header = answer.header("traceresponse").expect("the trace is told").to_owned();
    header[53..].to_owned()
}

#[tokio::test]
async fn an_operation_has_a_share_of_its_own() {
    let yaml = "
chain: { provider: { default: [tracing, gate] } }
handlers: { tracing: { ratio: 0.0, response-header: traceresponse } }
operations:
  loud.*: { handlers: { tracing: { ratio: 1.0 } } }
";
    let ok = |_: &Invocation| Reply::new("ok");
    let operations = [answering("loud.one", "GET", "/loud", ok), answering("calm.one", "GET", "/calm", ok)];
    let app = service(yaml).mount_operations(operations).start().await.expect("this service starts");
    assert_eq!((flags(&app, "/loud").await.as_str(), flags(&app, "/calm").await.as_str()), ("03", "02"));
}
