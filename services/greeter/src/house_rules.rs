//! A handler of the service's own: who is not welcome is not greeted.

use chassis::prelude::*;

/// Refuses calls about visitors that are not welcome.
#[handler("house-rules")]
pub(crate) struct HouseRules {
    unwelcome: Vec<String>,
}

/// Who is not welcome.
#[conf]
pub(crate) struct HouseRulesConf {
    /// The names that are refused, upper and lower case alike.
    #[conf(default = Vec::new())]
    unwelcome: Vec<String>,
}

impl Configure for HouseRules {
    type Conf = HouseRulesConf;

    fn build(conf: HouseRulesConf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self { unwelcome: conf.unwelcome })
    }
}

impl Handler for HouseRules {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let Some(name) = invocation.param("name") else { return Verdict::Continue };
        if self.unwelcome.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Fault::new(Code::PermissionDenied, "This visitor is not welcome here.").into();
        }
        Verdict::Continue
    }
}
