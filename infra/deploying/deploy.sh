#!/usr/bin/env bash
# Deploys one service, the platform or the catalog, with nothing but bash, Python and the AWS CLI.
#
#   infra/deploying/deploy.sh SERVICE ENVIRONMENT [NAME=VALUE...]
#   infra/deploying/deploy.sh platform prod AlarmEmail=alarms@example.com
#   infra/deploying/deploy.sh songs prod LogLevel=DEBUG
#
# NAME=VALUE sets a parameter of the template; one that is not named keeps its value. The platform comes first, then the
# catalog; of a lake that has rows already, `earworm audit --repair --no-contents` registers the days. The
# extractor reads its Spotify application from the secret earworm/ENVIRONMENT/spotify, which is not made here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
    printf 'deploy.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -ge 2 ] || fail "usage: infra/deploying/deploy.sh SERVICE ENVIRONMENT [NAME=VALUE...]"
component=$1 environment=$2
shift 2
case $environment in dev | prod) ;; *) fail "There is no environment '$environment': choose dev or prod." ;; esac
for assignment; do
    case $assignment in ?*=*) ;; *) fail "'$assignment' sets no parameter: write NAME=VALUE." ;; esac
done
command -v aws >/dev/null || fail "There is no AWS CLI: install it from https://aws.amazon.com/cli/."

if [ "$component" = platform ] || [ "$component" = catalog ]; then
    template=infra/$component.yaml
else
    template=services/$component/template.yaml
    [ -f "$template" ] || fail "There is no service '$component': services/ has one folder for each."
fi
# `aws cloudformation deploy` passes over a parameter that the template does not have.
known=$(aws cloudformation validate-template --template-body "file://$template" \
    --query 'Parameters[].ParameterKey' --output text | tr '\t' ' ')
for assignment; do
    case " $known " in
        *" ${assignment%%=*} "*) ;;
        *) fail "$template has no parameter '${assignment%%=*}': choose among $known." ;;
    esac
done

parameters=("Environment=$environment" "$@")
if [ "$template" != "infra/$component.yaml" ]; then
    [ -x .venv/bin/python ] || infra/setup.sh
    artifacts=$(aws ssm get-parameter --name "/earworm/$environment/artifacts-bucket" --query Parameter.Value \
        --output text) || fail "The platform of $environment is not there: run infra/deploying/deploy.sh platform $environment."
    bundle=$(.venv/bin/python -m infra.deploying.build "$component") || exit 1
    read -r key path <<<"$bundle"
    aws s3 cp --only-show-errors "$path" "s3://$artifacts/$key"
    parameters+=("CodeBucket=$artifacts" "CodeKey=$key")
fi

aws cloudformation deploy \
    --stack-name "earworm-$environment-${component//_/-}" \
    --template-file "$template" \
    --parameter-overrides "${parameters[@]}" \
    --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
    --tags application=earworm "environment=$environment" "component=$component" \
    --no-fail-on-empty-changeset
