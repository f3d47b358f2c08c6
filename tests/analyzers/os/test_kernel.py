"""Kernels that no package owns."""

from __future__ import annotations

from anchorecli.analyzers.os.kernel import KernelAnalyzer, image_release
from tests.analyzers.view import make_view


def find(analyzer, *layers, distro=None):
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def bzimage(release):
    text = release.encode() + b" (builder@host) #1 SMP\0"
    return bytes(0x202) + b"HdrS" + bytes(8) + (0x3000).to_bytes(2, "little") + bytes(0x3200 - 0x210) + text + bytes(99)


def test_kernels_that_nobody_owns():
    analyzer = KernelAnalyzer()
    files = {"boot/vmlinuz-6.1.0-18-amd64": bzimage("6.1.0-18-amd64"), "lib/modules/6.1.0-18-amd64/modules.dep": "x"}
    view = make_view(analyzer, [files])
    (package,) = analyzer.assemble(view).packages
    assert (package.name, package.version, package.type) == ("linux", "6.1.0-18-amd64", "linux-kernel")
    assert package.cpes == ("cpe:2.3:o:linux:linux_kernel:6.1.0:*:*:*:*:*:*:*",)
    assert len(package.locations) == 2
    view.owned = {"pkg:deb/debian/linux-image@1": ["/boot/vmlinuz-6.1.0-18-amd64"]}
    assert analyzer.assemble(view).packages == ()


def test_what_is_no_kernel():
    assert image_release(b"") == ""
    assert image_release(bytes(0x202) + b"HdrS" + b"\xff" * 20) == ""
    assert find(KernelAnalyzer(), {"boot/vmlinuz": bytes(9999), "boot/grub.cfg": "x" * 999})[1].packages == ()
