//! What every service takes on its command line of who may come in.

use std::path::PathBuf;

use clap::Args;

use crate::{Access, FileKey, IssuerSettings, Settings};

/// Whom a process lets in, and by which keys of its own.
#[derive(Clone, Debug, Default, Args)]
pub struct AccessArguments {
    /// Whom it lets in: anybody to do anything (open); anybody to read what is public, all else with a key (keys);
    /// nobody without a key (closed) [default: keys].
    #[arg(long, value_enum, env = "TONGHOP_ACCESS")]
    pub access: Option<Access>,
    /// A file with the administrator's key: who sends it may do everything.
    #[arg(long, value_name = "FILE", env = "TONGHOP_ADMIN_KEY_FILE")]
    pub admin_key_file: Option<PathBuf>,
    /// A file with the key that the services know one another by; the same for all of them.
    #[arg(long, value_name = "FILE", env = "TONGHOP_SERVICE_KEY_FILE")]
    pub service_key_file: Option<PathBuf>,
    /// Whose tokens it takes beside keys.
    #[command(flatten)]
    pub issuer: IssuerArguments,
}

/// Whose tokens a process takes beside keys.
#[derive(Clone, Debug, Default, Args)]
pub struct IssuerArguments {
    /// An issuer of tokens (OpenID Connect) that are taken beside keys: what their iss says, to the letter.
    #[arg(long, value_name = "URL", env = "TONGHOP_OIDC_ISSUER", requires = "oidc_audience")]
    pub oidc_issuer: Option<String>,
    /// Whom its tokens have to be for: one of their aud.
    #[arg(long, value_name = "TEXT", env = "TONGHOP_OIDC_AUDIENCE", requires = "oidc_issuer")]
    pub oidc_audience: Option<String>,
    /// Where it publishes its keys [default: as ISSUER/.well-known/openid-configuration says].
    #[arg(long, value_name = "URL", env = "TONGHOP_OIDC_JWKS", requires = "oidc_issuer")]
    pub oidc_jwks: Option<String>,
    /// Authorities that are believed about it beside those of this system, in PEM.
    #[arg(long, value_name = "FILE", env = "TONGHOP_OIDC_CA", requires = "oidc_issuer")]
    pub oidc_ca: Option<PathBuf>,
    /// Ask it over a network without TLS, as it never should be.
    #[arg(long, env = "TONGHOP_OIDC_PLAIN_HTTP", requires = "oidc_issuer")]
    pub oidc_plain_http: bool,
}

impl IssuerArguments {
    /// What was said; none where nothing was.
    pub fn settings(&self) -> Option<IssuerSettings> {
        let (issuer, audience) = self.oidc_issuer.clone().zip(self.oidc_audience.clone())?;
        let (jwks, ca, plain_http) = (self.oidc_jwks.clone(), self.oidc_ca.clone(), self.oidc_plain_http);
        Some(IssuerSettings { issuer, audience, jwks, ca, plain_http })
    }
}

impl AccessArguments {
    /// What was said, read.
    ///
    /// # Errors
    /// Where a file cannot be read, or a key is missing that services apart cannot do without.
    pub fn settings(&self) -> Result<Settings, String> {
        let access = self.access.unwrap_or_default();
        let read = |file: &Option<PathBuf>| file.as_deref().map(FileKey::read).transpose();
        let settings = Settings {
            access,
            administrator: read(&self.admin_key_file)?,
            service: read(&self.service_key_file)?,
            issuer: self.issuer.settings(),
        };
        if access != Access::Open && settings.service.is_none() {
            return Err("the services have no key to know one another by: --service-key-file FILE or \
                        TONGHOP_SERVICE_KEY_FILE, the same for all of them; or --access open, where nobody else \
                        reaches them"
                .to_owned());
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_services_key_only_an_open_service_starts() {
        let open = AccessArguments { access: Some(Access::Open), ..AccessArguments::default() };
        assert!(open.settings().is_ok());
        let refused = AccessArguments::default().settings().expect_err("no key");
        assert!(refused.contains("TONGHOP_SERVICE_KEY_FILE"), "{refused}");
    }
}
