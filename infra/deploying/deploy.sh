#!/usr/bin/env bash
# Deploys one service, the platform, the catalog or the analytics, with nothing but bash, Python and the AWS CLI.
#
#   infra/deploying/deploy.sh COMPONENT ENVIRONMENT [NAME=VALUE...]
#   infra/deploying/deploy.sh platform prod AlarmEmail=alarms@example.com
#   infra/deploying/deploy.sh songs prod LogLevel=DEBUG
#
# NAME=VALUE sets a parameter of the template; one that is not named keeps its value. The platform comes first, then the
# catalog; of a lake that has rows already, `earworm audit --repair --no-contents` registers the days. The
# extractor reads its Spotify application from the secret earworm/ENVIRONMENT/spotify, which is not made here. If
# EARWORM_CLOUDFORMATION_ROLE_ARN is set, CloudFormation acts in that role.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
    printf 'deploy.sh: %s\n' "$1" >&2
    exit 1
}

# The parameters of the template; those of one type if it is given.
parameters() {
    awk -v type="${1:-}" '
        /^[A-Z]/ { part = $1 }
        part == "Parameters:" && /^  [A-Z]/ { name = $1; sub(":", "", name) }
        part == "Parameters:" && /^    Type:/ && (type == "" || $2 == type) { print name }' "$template"
}

[ $# -ge 2 ] || fail "usage: infra/deploying/deploy.sh COMPONENT ENVIRONMENT [NAME=VALUE...]"
component=$1 environment=$2
shift 2
[[ $environment =~ ^[a-z][a-z0-9]{0,11}$ ]] ||
    fail "'$environment' is not the name of an environment: 12 lower-case letters and digits at most."
for assignment; do
    case $assignment in ?*=*) ;; *) fail "'$assignment' sets no parameter: write NAME=VALUE." ;; esac
done
command -v aws >/dev/null || fail "There is no AWS CLI: install it from https://aws.amazon.com/cli/."

case $component in
    platform | catalog) template=infra/$component.yaml ;;
    analytics) template=analytics/template.yaml ;;
    *) template=services/$component/template.yaml ;;
esac
[ -f "$template" ] || fail "There is no service '$component': services/ has one folder for each."
known=$(parameters | tr '\n' ' ')
for assignment; do
    case " $known " in
        *" ${assignment%%=*} "*) ;;
        *) fail "$template has no parameter '${assignment%%=*}': choose among $known." ;;
    esac
done

overrides=("Environment=$environment")
for name in $(parameters "AWS::SSM::Parameter::Value<String>"); do
    key=$(printf %s "$name" | sed 's/\(.\)\([A-Z]\)/\1-\2/g' | tr '[:upper:]' '[:lower:]')
    overrides+=("$name=/earworm/$environment/$key")
done
overrides+=("$@")
options=()
if [ "$component" != platform ]; then
    artifacts=$(aws ssm get-parameter --name "/earworm/$environment/artifacts-bucket" --query Parameter.Value \
        --output text) || fail "The platform of $environment is not there: run infra/deploying/deploy.sh platform $environment."
    options+=(--s3-bucket "$artifacts" --s3-prefix templates)
fi
if [ -d "services/$component" ]; then
    [ -x .venv/bin/python ] || infra/setup.sh
    bundle=$(.venv/bin/python -m infra.deploying.build "$component") || exit 1
    read -r key path <<<"$bundle"
    aws s3 cp --only-show-errors "$path" "s3://$artifacts/$key"
    overrides+=("CodeBucket=$artifacts" "CodeKey=$key")
fi
[ -z "${EARWORM_CLOUDFORMATION_ROLE_ARN:-}" ] || options+=(--role-arn "$EARWORM_CLOUDFORMATION_ROLE_ARN")

aws cloudformation deploy \
    --stack-name "earworm-$environment-${component//_/-}" \
    --template-file "$template" \
    --parameter-overrides "${overrides[@]}" \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
    --tags application=earworm "environment=$environment" "component=$component" \
    --no-fail-on-empty-changeset "${options[@]}"
if [ "$environment" = prod ]; then
    aws cloudformation update-termination-protection --enable-termination-protection \
        --stack-name "earworm-$environment-${component//_/-}" >/dev/null
fi
