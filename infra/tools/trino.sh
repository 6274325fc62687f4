#!/bin/sh
# Brings a Trino server, the engine of Athena, into build/trino, from Maven Central and by an ordinary Maven client.
set -eu
cd "$(dirname "$0")/../.."
version=476
folder=build/trino
[ ! -d "$folder/trino-server-$version" ] || exit 0
command -v mvn > /dev/null || { echo "There is no mvn: install Maven, on Debian with 'apt install maven'." >&2; exit 1; }
mkdir -p "$folder"
echo "Bringing Trino $version: this downloads 821 MB once and takes 1.7 GB of $folder."
mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="io.trino:trino-server:$version:tar.gz" -DoutputDirectory="$folder" ||
    { echo "Maven Central gave no Trino $version: see above." >&2; exit 1; }
mkdir -p "$folder/unpacking"
tar -xzf "$folder/trino-server-$version.tar.gz" -C "$folder/unpacking"
mv "$folder/unpacking/trino-server-$version" "$folder/"
rm -r "$folder/unpacking" "$folder/trino-server-$version.tar.gz"
