//! Whoever asks, with what is granted to them.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::{Grant, KeyState, Keys, Role};

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody in particular.
    Anonymous,
    /// Anybody: the process does not ask who it is.
    Open,
    /// The holder of the administrator's key, which is in a file of the process.
    Administrator,
    /// Another service of this system.
    Service,
    /// The holder of a key.
    Key {
        /// What the key is known by.
        key: String,
    },
    /// The subject of a token that an issuer has signed.
    Token {
        /// Who signed it.
        issuer: String,
        /// Whom the issuer means.
        subject: String,
    },
}

/// Whoever asks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Known>);

#[derive(Debug)]
struct Known {
    identity: Identity,
    source: Option<String>,
    grant: Grant,
    /// From then on it is none, where whoever vouches for them said so.
    until: Option<Timestamp>,
}

impl Caller {
    /// Somebody with a grant; `source` is the reporting system under whose name they push, where they are bound to one.
    pub fn new(identity: Identity, source: Option<String>, grant: Grant) -> Caller {
        Caller(Arc::new(Known { identity, source, grant, until: None }))
    }

    /// Somebody with a grant that holds until a time.
    pub fn until(identity: Identity, source: Option<String>, grant: Grant, until: Timestamp) -> Caller {
        Caller(Arc::new(Known { identity, source, grant, until: Some(until) }))
    }

    /// Nobody in particular, who may do nothing that a role is needed for.
    pub fn anonymous() -> Caller {
        Caller::new(Identity::Anonymous, None, Grant::default())
    }

    /// Anybody, where the process does not ask: everything is granted.
    pub fn open() -> Caller {
        Caller::new(Identity::Open, None, Grant::all())
    }

    /// Another service of this system.
    pub fn service() -> Caller {
        Caller::new(Identity::Service, None, Grant::default())
    }

    /// The holder of the administrator's key.
    pub fn administrator() -> Caller {
        Caller::new(Identity::Administrator, None, Grant::all())
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// What is granted to them.
    pub fn grant(&self) -> &Grant {
        &self.0.grant
    }

    /// The reporting system under whose name they push; none where they may name any.
    pub fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// How the ledger names them; empty where nobody has to say who it is.
    pub fn actor(&self) -> String {
        match self.identity() {
            Identity::Anonymous | Identity::Open => String::new(),
            Identity::Administrator => "administrator".to_owned(),
            Identity::Service => "service".to_owned(),
            Identity::Key { key } => format!("key:{key}"),
            Identity::Token { issuer, subject } => format!("token:{issuer}#{subject}"),
        }
    }

    /// How a log names them.
    pub fn named(&self) -> String {
        match self.identity() {
            Identity::Anonymous => "anonymous".to_owned(),
            Identity::Open => "anybody".to_owned(),
            _ => self.actor(),
        }
    }

    /// As they are by the keys there are now: what was granted to a key may have been taken back since they came in.
    ///
    /// # Errors
    /// Where it was.
    pub fn still(&self, keys: &Keys, now: Timestamp) -> Result<(), Failure> {
        if self.0.until.is_some_and(|until| now >= until) {
            return Err(not_valid());
        }
        let Identity::Key { key } = self.identity() else { return Ok(()) };
        match keys.get(key).map(|key| key.state(now)) {
            Some(KeyState::Active) => Ok(()),
            _ => Err(not_valid()),
        }
    }

    /// Whether they have a role, somewhere.
    pub fn has(&self, role: Role) -> bool {
        self.grant().has(role)
    }

    /// Whether they have a role for a unit on a day.
    pub fn has_for(&self, role: Role, registry: &Registry, unit: UnitId, day: Date) -> bool {
        self.has(role) && self.grant().covers(registry, unit, day)
    }

    /// That they have a role, somewhere.
    ///
    /// # Errors
    /// Where they do not: whoever has not said who they are is asked to, everybody else is refused.
    pub fn require(&self, role: Role) -> Result<(), Failure> {
        if self.has(role) { Ok(()) } else { Err(self.lacks(role)) }
    }

    /// That it is another service of this system.
    ///
    /// # Errors
    /// Where it is not.
    pub fn require_service(&self) -> Result<(), Failure> {
        if self.is_service() {
            return Ok(());
        }
        Err(Failure::new(
            match self.identity() {
                Identity::Anonymous => FailureKind::Unauthenticated,
                _ => FailureKind::Forbidden,
            },
            Text::of(
                "việc này chỉ dành cho các dịch vụ của hệ thống",
                "this is for the services of the system alone",
            ),
        ))
    }

    /// Whether it is another service of this system; where nobody is asked who it is, anybody may be.
    pub fn is_service(&self) -> bool {
        matches!(self.identity(), Identity::Service | Identity::Open)
    }

    /// That they have said who they are.
    ///
    /// # Errors
    /// Where they have not.
    pub fn require_identity(&self) -> Result<(), Failure> {
        if *self.identity() != Identity::Anonymous {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::Unauthenticated,
            Text::of(
                "việc này cần khóa: gửi Authorization: Bearer KHÓA",
                "this takes a key: send Authorization: Bearer KEY",
            ),
        ))
    }

    /// That a role is missing, in words.
    pub fn lacks(&self, role: Role) -> Failure {
        let code = role.code();
        match self.identity() {
            Identity::Anonymous => Failure::new(
                FailureKind::Unauthenticated,
                Text::of(
                    format!("việc này cần khóa có vai trò {code}: gửi Authorization: Bearer KHÓA"),
                    format!("this takes a key with the role {code}: send Authorization: Bearer KEY"),
                ),
            ),
            _ => Failure::new(
                FailureKind::Forbidden,
                Text::of(
                    format!("việc này cần vai trò {code} mà khóa đã gửi không có"),
                    format!("this takes the role {code}, which the key that was sent does not have"),
                ),
            ),
        }
    }

    /// That a role they have does not reach a unit, in words that tell nothing of what is there.
    pub fn out_of_reach(&self, role: Role) -> Failure {
        if !self.has(role) {
            return self.lacks(role);
        }
        Failure::new(
            FailureKind::Forbidden,
            Text::of(
                "khóa đã gửi không có hiệu lực cho đơn vị này trong kỳ này",
                "the key that was sent does not hold for this unit in this period",
            ),
        )
    }
}

/// One answer whatever is wrong with what was sent, so that nothing is learnt from it.
pub(crate) fn not_valid() -> Failure {
    Failure::new(
        FailureKind::Unauthenticated,
        Text::of(
            "thông tin xác thực không hợp lệ, đã hết hạn hoặc đã bị thu hồi",
            "the credentials are not valid, have expired or were revoked",
        ),
    )
}
