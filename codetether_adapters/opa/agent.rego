# What an agent may do, asked before a human is.
#
# input: {"tenant", "codebase", "checkout": its directory or null, "agent": its type, "worker", "principal": who speaks
#         for the worker, "created_by": who submitted the task,
#         "tool": {"name", "kind", "command": text or null, "paths": [...]}}
#
# Kinds are those of the Agent Client Protocol: read, edit, delete, move, search, execute, think, fetch, other. Paths
# are as seen from the checkout, absolute where they are not in it; where links lead nobody here can see.
#
# verdict: {"decision": "allow", "deny" or "ask", "rule": its name, "reason": words}. Deny goes before ask, and ask
# before allow. No verdict leaves it to a human; a policy that fails denies. contracts/policy/cases.json says what has
# to come of it.
#
# All of this is about what agents say that they are about to do. It saves people questions, and keeps an agent from a
# mistake; what an agent is able to do is the worker's sandbox's affair. That is why no list of dangerous commands is
# here, past which there is always a way: every command is shown to a human.

package codetether.agent

import rego.v1

default verdict := {"decision": "ask", "rule": "otherwise", "reason": ""}

verdict := said("deny", min(deny)) if count(deny) > 0

verdict := said("ask", min(ask)) if {
	count(deny) == 0
	count(ask) > 0
}

verdict := said("allow", min(allow)) if {
	count(deny) == 0
	count(ask) == 0
	count(allow) > 0
}

said(decision, rule) := {"decision": decision, "rule": rule, "reason": object.get(reasons, rule, "")}

reasons := {
	"git_internals": "What is in .git is changed by git alone: use its commands.",
	"outside_checkout": "The path leads out of the checkout.",
	"secret_file": "Such files have secrets in them.",
}

# --- a hook or an alias that is written there runs as whoever uses git next

deny contains "git_internals" if {
	input.tool.kind in {"edit", "delete", "move"}
	some part in parts
	part == ".git"
}

# --- a human may know that it does no harm: which links lead where, what is in a file of that name

ask contains "secret_file" if {
	some part in parts
	part in secret_names
}

ask contains "secret_file" if {
	some part in parts
	some beginning in secret_beginnings
	startswith(part, beginning)
}

ask contains "secret_file" if {
	some part in parts
	some end in secret_ends
	endswith(part, end)
}

# --- its remotes' credentials; a search goes through all that is below

ask contains "secret_file" if {
	some path in input.tool.paths
	names := split(lower(path), "/")
	".git" in names
	startswith(names[count(names) - 1], "config")
}

ask contains "secret_file" if {
	input.tool.kind == "search"
	".git" in parts
}

ask contains "outside_checkout" if {
	some path in input.tool.paths
	startswith(path, "/")
}

ask contains "outside_checkout" if ".." in parts

# --- a shell's home and variables, another system's paths, a URL

ask contains "outside_checkout" if {
	some path in input.tool.paths
	substring(path, 0, 1) in {"~", "$", "%"}
}

ask contains "outside_checkout" if {
	some path in input.tool.paths
	contains(split(path, "/")[0], ":")
}

ask contains "outside_checkout" if {
	some path in input.tool.paths
	contains(path, "\\")
}

# --- to look at what the task is about changes nothing; a search may show a line of any file that it comes by

allow contains "looking" if {
	input.tool.kind in {"read", "search"}
	input.tool.command == null
	count(input.tool.paths) > 0
	input.checkout != null
}

allow contains "thinking" if {
	input.tool.kind == "think"
	input.tool.command == null
	count(input.tool.paths) == 0
}

# --- names, whatever the letters' case: there are file systems that do not mind it

parts contains part if {
	some path in input.tool.paths
	some part in split(lower(path), "/")
}

secret_names := {
	".aws",
	".azure",
	".docker",
	".env",
	".envrc",
	".git-credentials",
	".gnupg",
	".htpasswd",
	".kube",
	".netrc",
	".npmrc",
	".pgpass",
	".pypirc",
	".ssh",
	".vault-token",
}

secret_beginnings := {".env.", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"}

secret_ends := {".env", ".jks", ".kdbx", ".key", ".keystore", ".p12", ".pem", ".pfx", ".ppk", ".tfstate"}
