//! Ways to break a stack, and to mend it.

use serde_json::Value;

use super::Stack;

impl Stack {
    /// Ends a service's process at once (SIGKILL). It stays down until it is started.
    pub fn kill(&self, service: &str) {
        self.docker.run(&["kill", "--signal", "KILL", &self.container(service)]);
    }

    /// Tells a service to stop, and waits until it has; at the end of its time it is killed.
    pub fn stop(&self, service: &str) {
        self.docker.run(&["stop", &self.container(service)]);
    }

    /// Starts a service that is down, and waits until it is ready.
    pub fn start_again(&self, service: &str) {
        self.docker.run(&["start", &self.container(service)]);
        self.healthy(service);
    }

    /// Stops a service and starts it again, and waits until it is ready.
    pub fn restart(&self, service: &str) {
        self.docker.run(&["restart", &self.container(service)]);
        self.healthy(service);
    }

    /// Makes a service's container anew, as an upgrade does, and waits until it is ready. It has another address then.
    pub fn recreate(&self, service: &str) {
        self.compose(&["up", "-d", "--no-build", "--no-deps", "--force-recreate", service]);
        self.healthy(service);
    }

    /// Stops a service's process where it stands (SIGSTOP), its connections open.
    pub fn pause(&self, service: &str) {
        self.docker.run(&["kill", "--signal", "STOP", &self.container(service)]);
    }

    /// Lets a paused service go on (SIGCONT).
    pub fn resume(&self, service: &str) {
        self.docker.run(&["kill", "--signal", "CONT", &self.container(service)]);
    }

    /// Takes a service off a network: `data`, `ledger`, `totals` or `front`. Who was connected hears nothing of it.
    pub fn cut(&self, service: &str, network: &str) {
        let full = self.network(network);
        let networks: Value = self.inspect(service, "{{json .NetworkSettings.Networks}}");
        let aliases =
            networks[&full]["Aliases"].as_array().unwrap_or_else(|| panic!("{service} is not on {network}"));
        let aliases = aliases.iter().filter_map(|alias| alias.as_str().map(str::to_owned)).collect();
        self.docker.run(&["network", "disconnect", &full, &self.container(service)]);
        let mut cut = self.cut.lock().expect("nothing fails while it is held");
        cut.insert((service.to_owned(), network.to_owned()), aliases);
    }

    /// Puts a service back on a network, under the names that it had there.
    pub fn heal(&self, service: &str, network: &str) {
        let key = (service.to_owned(), network.to_owned());
        let aliases = self.cut.lock().expect("nothing fails while it is held").remove(&key);
        let aliases = aliases.unwrap_or_else(|| panic!("{service} was not cut off {network}"));
        let (full, container) = (self.network(network), self.container(service));
        let mut connect = vec!["network", "connect"];
        for alias in &aliases {
            connect.extend(["--alias", alias]);
        }
        connect.extend([full.as_str(), &container]);
        self.docker.run(&connect);
    }

    fn network(&self, name: &str) -> String {
        format!("{}_{name}", self.project)
    }
}
