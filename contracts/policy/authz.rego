# Who may do what over HTTP, A2A and MCP.
#
# input: {"permission": "tasks:read", "principal": {"name", "tenant", "roles": [...], "scopes": [...] or null,
#         "worker": id or null}, "resource": {"tenant": the one that the caller names, else its own}}
#
# Which codebase or task it is about is not in it: decisions are remembered by what was asked, and whose a thing is the
# services look after, which find nothing of another tenant's whatever is decided here. Undefined is false. contracts/policy/cases.json says what has to come of it, cell by cell.

package codetether.authz

import rego.v1

default allow := false

allow if input.permission == "public"

allow if {
	held
	in_scope
	in_tenant
}

# --- what the roles hold

held if {
	some role in input.principal.roles
	input.permission in permissions[role]
}

permissions["viewer"] := viewer

permissions["editor"] := editor

permissions["operator"] := operator

permissions["admin"] := admin

permissions["agent"] := agent

permissions["worker"] := worker

seeing := {
	"agents:read",
	"approvals:read",
	"codebases:read",
	"identity:read",
	"identity:write",
	"messages:read",
	"monitor:read",
	"openapi:read",
	"push:read",
	"sessions:read",
	"tasks:read",
	"workers:read",
}

viewer := seeing | {"database:read", "tasks:others", "tool_servers:read"}

editor := viewer | {
	"agents:delete",
	"agents:write",
	"approvals:write",
	"codebases:register",
	"codebases:write",
	"keys:read",
	"keys:write",
	"messages:intervene",
	"messages:write",
	"push:write",
	"sessions:delete",
	"sessions:write",
	"tasks:delete",
	"tasks:execute",
	"tasks:write",
}

operator := editor | {
	"audit:read",
	"deletions:override",
	"registrations:override",
	"secrets:read",
	"tool_servers:write",
	"workers:write",
}

admin := operator | {
	"accounts:read",
	"accounts:write",
	"backups:make",
	"encryption:read",
	"encryption:write",
	"keys:admin",
	"secrets:use",
	"secrets:write",
}

agent := seeing | {"agents:write", "messages:write", "push:write", "sessions:write", "tasks:write"}

worker := viewer | {
	"agents:write",
	"codebases:register",
	"messages:write",
	"secrets:use",
	"sessions:write",
	"tasks:execute",
	"workers:write",
}

# --- what the credential is for

in_scope if input.principal.scopes == null

in_scope if input.permission in input.principal.scopes

in_scope if {
	[resource, _] := split(input.permission, ":")
	sprintf("%s:*", [resource]) in input.principal.scopes
}

# --- where: who names another tenant than its own may mean it, and shall not act in its own unawares

in_tenant if input.resource.tenant == input.principal.tenant
