"""Best practices."""

import os
import stat
import subprocess
import tempfile
from pathlib import Path

from plan import heading, proves
from steps.overview import addresses_are_restricted, rotates_by_cloning
from steps.reader import BUCKET, OWN, holds_to, made
from tools import check, run_sample, shown, token

heading("Best Practices", "Security")


@proves("- Never Commit Keys")
def leaked_keys_can_be_found() -> None:
    # What a scanner of repositories looks for: a prefix of their own.
    of = made["shown"]
    check(of.key.startswith("BKTY") and of.secret.startswith("bkty_"), "no prefix to scan for")


@proves("- Use Environment Variables: Store keys in environment variables")
def the_environment_is_enough() -> None:
    run_sample("python-environment", made["shown"])


@proves("- Rotate Regularly: Create new keys")
def new_for_old() -> None:
    rotates_by_cloning()


@proves("- Limit Permissions")
def minimum_permissions() -> None:
    holds_to("read-only")


@proves("- Use IP Restrictions")
def restrictions_are_possible() -> None:
    addresses_are_restricted()


heading("Code Organization")


@proves("- Separate Configuration")
def by_a_config_file() -> None:
    of = made["shown"]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        config.write_text(
            f"[profile kept-apart]\nendpoint_url = {of.endpoint}\naws_access_key_id = {of.key}\n"
            f"aws_secret_access_key = {of.secret}\n", encoding="utf-8",
        )
        config.chmod(stat.S_IRUSR | stat.S_IWUSR)
        subprocess.run(
            ["aws", "--profile", "kept-apart", "s3", "ls", f"s3://{OWN}/"],
            env={**os.environ, "AWS_CONFIG_FILE": str(config)}, check=True, capture_output=True,
        )


@proves("- Use .env Files: Use", ".envfiles for local development (add to.gitignore) - Document Usage:")
def env_files_and_names() -> None:
    run_sample("node-environment", made["shown"])
    # What a key is for stands in its name.
    check(shown(token(BUCKET, "nightly backup of the wiki", "write-only"))["name"] == "nightly backup of the wiki", "name")


@proves("- Monitor Usage: Regularly check")
def usage_is_told_in_the_list() -> None:
    of = shown(made["shown"])
    check(int(of["requestCount"]) > 0 and of["lastUse"]["operation"], f"{of}")
