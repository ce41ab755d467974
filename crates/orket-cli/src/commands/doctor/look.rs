//! What is looked at, one function for each thing.

use std::fs::OpenOptions;
use std::path::Path;

use orket_flow::{ProviderKind, VenueAsset};
use orket_lsi::Depth;
use orket_ports::Workspace;
use orket_ports::model::Cancellation;
use orket_ports::workspace::AssetKind;
use orket_tools::sandbox::Tier;

use super::{Finding, Standing};
use crate::commands::models::{has_its_model, venue};
use crate::project::Project;
use crate::wire;

/// Below this much room a warning is due, in bytes.
const ROOM_BYTES: u64 = 256 * 1024 * 1024;

/// No clock that is right shows an earlier year.
const YEAR_MIN: &str = "2025";

/// Looks at everything that can be looked at.
pub(super) fn around(given: Option<&Path>) -> Vec<Finding> {
    let sandbox = wire::sandbox();
    let tier = match &sandbox {
        Ok(sandbox) => sandbox.probe(),
        Err(failure) => Tier::None(failure.message.clone()),
    };
    let mut findings = Vec::new();
    match Project::find(given) {
        Ok(project) => {
            let root = project.root.display().to_string();
            findings.push(ok(
                "project",
                format!("{root}, settings and orket.toml are valid"),
            ));
            findings.push(database(&project));
            findings.push(permissions(&project));
            findings.push(room(&project));
            findings.push(confinement(&tier));
            findings.extend(venues(&project, &tier));
            findings.push(clock(&project));
        }
        Err(failure) => {
            findings.push(fault(
                "project",
                failure.message,
                "correct that, or run `orket init`",
            ));
            findings.push(confinement(&tier));
        }
    }
    findings
}

fn database(project: &Project) -> Finding {
    let board = match wire::read_only_board(project) {
        Ok(Some(board)) => board,
        Ok(None) => return ok("database", "nothing has run yet".to_owned()),
        Err(failure) => return fault("database", failure.message, "see `orket verify`"),
    };
    match board.verify(Depth::Quick) {
        Ok(verification) if verification.findings.faults.is_empty() => {
            let newest = verification
                .newest()
                .map_or(0, |(generation, _)| generation);
            let looked_at = verification.findings.looked_at;
            let found = format!("generation {newest}, {looked_at} thing(s) looked at, all whole");
            ok("database", found)
        }
        Ok(verification) => {
            let count = verification.findings.faults.len();
            let remedy = "`orket verify` names them; `orket restore FILE` takes a backup";
            fault("database", format!("{count} thing(s) are damaged"), remedy)
        }
        Err(error) => fault("database", error.to_string(), "see `orket verify`"),
    }
}

fn permissions(project: &Project) -> Finding {
    let database = project.home.join("durable/db/orket_persistence.db");
    // Opening for writing changes nothing; only a database that is there is opened.
    match OpenOptions::new().append(true).open(&database) {
        Ok(_) => ok("permissions", "the project can be written".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            ok("permissions", "there is nothing to write yet".to_owned())
        }
        Err(error) => warning(
            "permissions",
            format!("the database cannot be written: {error}"),
            "it can be read; run as its owner to go on working",
        ),
    }
}

fn room(project: &Project) -> Finding {
    let place = if project.home.is_dir() {
        &project.home
    } else {
        &project.root
    };
    let free_bytes = match orket_lsi::free_bytes(place) {
        Ok(free_bytes) => free_bytes,
        Err(error) => return fault("disk", error.to_string(), "see what is wrong with the disk"),
    };
    let found = format!("{} MiB are free", free_bytes / (1024 * 1024));
    match project.config.retention.reserve_bytes {
        Some(reserve) if free_bytes < reserve => fault(
            "disk",
            format!("{found}, fewer than reserve_bytes of [retention]"),
            "make room, for instance with `orket gc`",
        ),
        _ if free_bytes < ROOM_BYTES => {
            warning("disk", found, "make room, for instance with `orket gc`")
        }
        _ => ok("disk", found),
    }
}

fn confinement(tier: &Tier) -> Finding {
    let found = tier.to_string();
    match tier {
        Tier::Full => ok("sandbox", found),
        Tier::Partial(_) => warning(
            "sandbox",
            found,
            "venues that ask for the tier full are refused; docs/sandbox.md says what would help",
        ),
        Tier::None(_) => warning(
            "sandbox",
            found,
            "no command of an agent runs here, and checks only where a venue accepts the tier none",
        ),
    }
}

fn venues(project: &Project, tier: &Tier) -> Vec<Finding> {
    let workspace = match wire::workspace(project) {
        Ok(workspace) => workspace,
        Err(failure) => return vec![fault("venues", failure.message, "correct that")],
    };
    let names = match workspace.asset_names(AssetKind::Venue) {
        Ok(names) => names,
        Err(error) => return vec![fault("venues", error.to_string(), "correct that")],
    };
    let one = |name: String| match venue(&workspace, &name) {
        Ok(venue) => one_venue(project, &venue, tier),
        Err(failure) => fault(format!("venue {name}"), failure.message, "correct the file"),
    };
    names.into_iter().map(one).collect()
}

fn one_venue(project: &Project, venue: &VenueAsset, tier: &Tier) -> Finding {
    let subject = format!("venue {}", venue.name);
    if !tier.reaches(venue.least_tier.into()) {
        let found = "it asks for a stronger sandbox than there is here";
        return warning(subject, found.to_owned(), "see the line of the sandbox");
    }
    if venue.provider == ProviderKind::Recorded {
        return ok(
            subject,
            "answers come from cassettes/, no server is asked".to_owned(),
        );
    }
    let provider = match wire::provider(project, venue) {
        Ok(provider) => provider,
        Err(failure) => return fault(subject, failure.message, "correct the venue or .env"),
    };
    match provider.models(&Cancellation::new()) {
        Ok(offer) if has_its_model(venue, &offer) => {
            ok(subject, format!("its server has {}", venue.model))
        }
        Ok(_) => warning(
            subject,
            format!("its server does not have {}", venue.model),
            "`orket models` lists what it has",
        ),
        Err(error) => warning(
            subject,
            format!("{error} [{}]", error.code()),
            &error.hint(),
        ),
    }
}

fn clock(project: &Project) -> Finding {
    let now = wire::clock(project).now();
    if now.as_str() < YEAR_MIN {
        let found = format!("it says {now}");
        return warning(
            "clock",
            found,
            "set it: times are for people, no order depends on them",
        );
    }
    ok("clock", now)
}

fn ok(subject: impl Into<String>, found: String) -> Finding {
    finding(Standing::Ok, subject.into(), found, "")
}

fn warning(subject: impl Into<String>, found: String, remedy: &str) -> Finding {
    finding(Standing::Warning, subject.into(), found, remedy)
}

fn fault(subject: impl Into<String>, found: String, remedy: &str) -> Finding {
    finding(Standing::Fault, subject.into(), found, remedy)
}

fn finding(standing: Standing, subject: String, found: String, remedy: &str) -> Finding {
    Finding {
        standing,
        subject,
        found,
        remedy: remedy.to_owned(),
    }
}
