#!/usr/bin/env python3
"""Writes an image for containers, without a daemon: an OCI layout in a tar file, which `docker load`, `podman load`
and `skopeo copy oci-archive:` take. The image has the program, the certificates of public authorities, and a user."""

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile
import time

USER = 65532
NAME = "authd"
PASSWD = f"root:x:0:0:root:/:/sbin/nologin\nauthd:x:{USER}:{USER}:authd:/data:/sbin/nologin\n"
GROUP = f"root:x:0:\nauthd:x:{USER}:\n"
WHEN = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))


def entry(name, kind, mode, owner=0):
    """A member of a tar file, with nothing in it that differs from build to build."""
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime, member.uid, member.gid = kind, mode, WHEN, owner, owner
    return member


def add(tar, name, content, mode=0o644):
    member = entry(name, tarfile.REGTYPE, mode)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def layer(program, certificates):
    """The only layer, uncompressed."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin"):
            tar.addfile(entry(folder, tarfile.DIRTYPE, 0o755))
        # What a new volume takes over: the owner and the mode.
        for folder in ("data", "key"):
            tar.addfile(entry(folder, tarfile.DIRTYPE, 0o700, USER))
        add(tar, "etc/passwd", PASSWD.encode())
        add(tar, "etc/group", GROUP.encode())
        add(tar, "etc/ssl/certs/ca-certificates.crt", certificates)
        add(tar, "usr/bin/authd", program, 0o755)
        link = entry("usr/bin/authctl", tarfile.SYMTYPE, 0o777)
        link.linkname = "authd"
        tar.addfile(link)
    return raw.getvalue()


def configuration(arguments, diff_id):
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(WHEN))
    return {
        "created": created,
        "architecture": arguments.architecture,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {"8080/tcp": {}},
            # Only what a container can't have otherwise: the rest is the operator's to say.
            "Env": [
                "PATH=/usr/bin",
                "AUTHD_LISTEN=0.0.0.0:8080",
                "AUTHD_DATABASE=/data/authd.db",
                "AUTHD_KEY_FILE=/data/authd.key",
            ],
            "Entrypoint": ["/usr/bin/authd"],
            "Cmd": ["serve"],
            "WorkingDir": "/data",
            "Volumes": {"/data": {}},
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": NAME,
                "org.opencontainers.image.version": arguments.version,
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
                "org.opencontainers.image.created": created,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "tools/image.py"}],
    }


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def write(arguments, program, certificates):
    blobs = {}

    def blob(content, media_type):
        blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def document(value):
        return json.dumps(value, separators=(",", ":")).encode()

    raw = layer(program, certificates)
    packed = blob(gzip.compress(raw, 9, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = blob(document(configuration(arguments, digest(raw))), "application/vnd.oci.image.config.v1+json")
    manifest = blob(
        document(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config,
                "layers": [packed],
            }
        ),
        "application/vnd.oci.image.manifest.v1+json",
    )
    manifest["platform"] = {"os": "linux", "architecture": arguments.architecture}
    manifest["annotations"] = {
        "org.opencontainers.image.ref.name": arguments.version,
        "io.containerd.image.name": f"docker.io/library/{NAME}:{arguments.version}",
    }
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}

    def path(of):
        return "blobs/" + of["digest"].replace(":", "/")

    # What Docker before 25 looks for.
    old = [{"Config": path(config), "RepoTags": [f"{NAME}:{arguments.version}"], "Layers": [path(packed)]}]
    with tarfile.open(arguments.output, "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "oci-layout", document({"imageLayoutVersion": "1.0.0"}))
        for folder in ("blobs", "blobs/sha256"):
            tar.addfile(entry(folder, tarfile.DIRTYPE, 0o755))
        for name, content in sorted(blobs.items()):
            add(tar, "blobs/" + name.replace(":", "/"), content)
        add(tar, "index.json", document(index))
        add(tar, "manifest.json", document(old))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("version", "architecture", "program", "certificates", "output"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    with open(arguments.program, "rb") as program, open(arguments.certificates, "rb") as certificates:
        write(arguments, program.read(), certificates.read())


if __name__ == "__main__":
    main()
