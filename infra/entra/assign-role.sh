#!/bin/sh
# Gives a person, group, service principal or managed identity a role of the registration:
#
#   infra/entra/assign-role.sh CLIENT_ID OBJECT_ID ROLE        ROLE: Batchpoint.Reader, .Invoker, .Operator or .Owner
#
# For the signed-in person: OBJECT_ID is $(az ad signed-in-user show --query id --output tsv).
set -eu

client_id=${1:?client id of the registration}
principal=${2:?object id of who gets the role}
role=${3:?name of the role}
graph=https://graph.microsoft.com/v1.0

resource=$(az ad sp show --id "$client_id" --query id --output tsv)
role_id=$(az ad sp show --id "$client_id" --query "appRoles[?value=='$role'].id | [0]" --output tsv)
if [ -z "$role_id" ]; then
  echo "The registration $client_id has no role $role." >&2
  exit 1
fi

given=$(az rest --method GET --url "$graph/servicePrincipals/$resource/appRoleAssignedTo" \
  --query "value[?principalId=='$principal' && appRoleId=='$role_id'] | length(@)" --output tsv)
if [ "$given" != 0 ]; then
  echo "$principal has $role already."
  exit 0
fi
az rest --method POST --url "$graph/servicePrincipals/$resource/appRoleAssignedTo" --output none --body "{
  \"principalId\": \"$principal\", \"resourceId\": \"$resource\", \"appRoleId\": \"$role_id\"
}"
echo "$principal has $role."
