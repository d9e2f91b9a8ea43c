"""NormInterop's C API for Python, as far as it is measured here."""

import collections
import ctypes
import os
import pathlib
import sys

import torch

ABI_VERSION = 4
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

DataType = collections.namedtuple("DataType", "name index data parameters")
DATA_TYPES = {entry.name: entry for entry in (
    DataType("float32", 0, torch.float32, torch.float32), DataType("float64", 1, torch.float64, torch.float64),
    DataType("float16", 2, torch.float16, torch.float32), DataType("bfloat16", 3, torch.bfloat16, torch.float32))}


class AbiInfo(ctypes.Structure):
    """ni_abi_info of norminterop/runtime.h."""

    _fields_ = [(name, ctypes.c_uint32) for name in (
        "struct_size", "abi_version", "channel_shape_size", "group_shape_size", "row_shape_size", "status_count", "data_type_count",
        "layout_count", "gradient_mode_count", "activation_count", "pointer_size")]


class ChannelShape(ctypes.Structure):
    """ni_channel_shape of norminterop/channel.h."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("data_type", ctypes.c_int32), ("layout", ctypes.c_int32), ("max_threads", ctypes.c_int32),
        ("batch", ctypes.c_int64), ("channels", ctypes.c_int64), ("spatial", ctypes.c_int64)]


class GroupShape(ctypes.Structure):
    """ni_group_shape of norminterop/group.h."""

    _fields_ = [*ChannelShape._fields_, ("groups", ctypes.c_int64)]


class RowShape(ctypes.Structure):
    """ni_row_shape of norminterop/row.h."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("data_type", ctypes.c_int32), ("max_threads", ctypes.c_int32), ("reserved", ctypes.c_int32),
        ("rows", ctypes.c_int64), ("length", ctypes.c_int64)]


def channel_shape(dims, layout, dtype, threads):
    """dims: N, C and the spatial lengths."""
    n, c, *spatial = dims
    return ChannelShape(
        ctypes.sizeof(ChannelShape), dtype.index, list(LAYOUTS).index(layout), threads, n, c, torch.Size(spatial).numel())


def group_shape(dims, groups, layout, dtype, threads):
    """dims: N, C and the spatial lengths."""
    n, c, *spatial = dims
    return GroupShape(
        ctypes.sizeof(GroupShape), dtype.index, list(LAYOUTS).index(layout), threads, n, c, torch.Size(spatial).numel(), groups)


def row_shape(dims, dtype, threads):
    """dims: rows and their length."""
    return RowShape(ctypes.sizeof(RowShape), dtype.index, threads, 0, *dims)


class Library:
    """That of build/release/lib, or the file that NORMINTEROP_LIBRARY names."""

    def __init__(self):
        name = {"darwin": "libnorminterop.dylib", "win32": "norminterop.dll"}.get(sys.platform, "libnorminterop.so")
        folder = pathlib.Path(__file__).resolve().parents[3] / "build" / "release" / "lib"
        self.path = os.environ.get("NORMINTEROP_LIBRARY") or str(folder / name)
        try:
            self.native = ctypes.CDLL(self.path)
        except OSError as error:
            sys.exit(f"Cannot load {self.path}: {error}\nBuild it with ./build.sh build, or set NORMINTEROP_LIBRARY to its path.")
        self.native.ni_last_error_message.restype = ctypes.c_char_p
        self.native.ni_build_info.restype = ctypes.c_char_p
        self.native.ni_abi_version.restype = ctypes.c_uint32
        self.check_abi()

    def check_abi(self):
        """Before anything else: the structs of another version would be read as something else."""
        if (version := self.native.ni_abi_version()) != ABI_VERSION:
            sys.exit(f"{self.path}: binary interface {version}, expected {ABI_VERSION}. Build it with ./build.sh build.")
        info = AbiInfo(ctypes.sizeof(AbiInfo))
        self.check(self.native.ni_get_abi_info(ctypes.byref(info)))
        for name, shape in (("channel", ChannelShape), ("group", GroupShape), ("row", RowShape)):
            size = getattr(info, f"{name}_shape_size")
            if size != ctypes.sizeof(shape):
                sys.exit(f"{self.path}: ni_{name}_shape has {size} bytes, expected {ctypes.sizeof(shape)}.")

    def check(self, status):
        if status:
            raise RuntimeError(self.native.ni_last_error_message().decode())

    def build_info(self):
        return self.native.ni_build_info().decode()

    def isa(self):
        name = ctypes.c_char_p()
        self.check(self.native.ni_active_isa(ctypes.byref(name)))
        return name.value.decode()

    def bind(self, function, *arguments):
        """A call without arguments, which may be made more than once."""
        native = getattr(self.native, function)

        def convert(argument):
            if argument is None:
                return ctypes.c_void_p()
            if isinstance(argument, torch.Tensor):
                return ctypes.c_void_p(argument.data_ptr())
            if isinstance(argument, float):
                return ctypes.c_double(argument)
            return ctypes.byref(argument) if isinstance(argument, ctypes.Structure) else ctypes.c_int32(argument)

        converted = [convert(argument) for argument in arguments]

        # The tensors and the shape must live as long as the call: the default argument holds them.
        def call(held=arguments):
            if native(*converted):
                self.check(1)

        return call
