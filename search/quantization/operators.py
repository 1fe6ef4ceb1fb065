"""What the operators of an exported graph mean to a fused runtime, in one set of tables."""

import operator
from typing import Any

import torch

aten: Any = torch.ops.aten

#: hand their first argument on, in eval mode
IDENTITIES = frozenset(
    {
        aten.dropout.default,
        aten.dropout_.default,
        aten.feature_dropout.default,
        aten.detach.default,
        aten.alias.default,
    }
)

#: in-place operator -> its twin that leaves its input alone
FUNCTIONAL = {
    aten.relu_.default: aten.relu.default,
    aten.relu6_.default: aten.relu6.default,
    aten.hardtanh_.default: aten.hardtanh.default,
    aten.leaky_relu_.default: aten.leaky_relu.default,
    aten.silu_.default: aten.silu.default,
    aten.hardswish_.default: aten.hardswish.default,
    aten.hardsigmoid_.default: aten.hardsigmoid.default,
    aten.sigmoid_.default: aten.sigmoid.default,
    aten.elu_.default: aten.elu.default,
    aten.add_.Tensor: aten.add.Tensor,
    aten.sub_.Tensor: aten.sub.Tensor,
    aten.mul_.Tensor: aten.mul.Tensor,
    aten.div_.Tensor: aten.div.Tensor,
}

#: have weights; what follows of batch-norm, constants and activation is fused into them
LAYERS = frozenset(
    {
        aten.conv1d.default,
        aten.conv1d.padding,
        aten.conv2d.default,
        aten.conv2d.padding,
        aten.conv3d.default,
        aten.conv3d.padding,
        aten.linear.default,
    }
)

#: of the layers, those without a window
MATRIX_PRODUCTS = frozenset({aten.linear.default})

#: multiply two activations
PRODUCTS = frozenset(
    {
        aten.matmul.default,
        aten.bmm.default,
        aten.einsum.default,
        aten.scaled_dot_product_attention.default,
    }
)

#: with a constant they are fused into what comes before
ADDITIONS = frozenset({aten.add.Tensor, aten.sub.Tensor})
#: of two activations a new tensor, such as a squeeze-and-excitation's; by a constant a mere scale
MULTIPLICATIONS = frozenset({aten.mul.Tensor})
ELEMENTWISE = ADDITIONS | MULTIPLICATIONS | frozenset({aten.div.Tensor})

CONCATENATIONS = frozenset({aten.cat.default, aten.concat.default, aten.stack.default})

ACTIVATIONS = frozenset(
    {
        aten.relu.default,
        aten.relu6.default,
        aten.hardtanh.default,
        aten.leaky_relu.default,
        aten.silu.default,
        aten.hardswish.default,
        aten.hardsigmoid.default,
        aten.elu.default,
        aten.gelu.default,
        aten.sigmoid.default,
        aten.tanh.default,
        aten.mish.default,
    }
)

#: pick one of their inputs by order, so that a monotone map commutes with them
ORDER_PICKING = frozenset(
    {
        aten.max_pool1d.default,
        aten.max_pool2d.default,
        aten.max_pool3d.default,
        aten.adaptive_max_pool2d.default,
    }
)

#: show the same memory in another way
VIEWS = frozenset(
    {
        aten.view.default,
        aten.permute.default,
        aten.transpose.int,
        aten.t.default,
        aten.unflatten.int,
        aten.unsqueeze.default,
        aten.squeeze.default,
        aten.squeeze.dim,
        aten.squeeze.dims,
        aten.select.int,
        aten.slice.Tensor,
        aten.chunk.default,
        aten.split.Tensor,
        aten.split_with_sizes.default,
        aten.unbind.int,
        aten.expand.default,
        aten.expand_as.default,
        aten.swapaxes.default,
        aten.movedim.int,
        operator.getitem,
    }
)

#: every value of the output is a value of the input, or zero
VALUE_KEEPING = (
    VIEWS
    | ORDER_PICKING
    | frozenset(
        {
            aten.reshape.default,
            aten.flatten.using_ints,
            aten.contiguous.default,
            aten.clone.default,
            aten.index.Tensor,
            aten.index_select.default,
            aten.roll.default,
            aten.flip.default,
            aten.pad.default,
            aten.constant_pad_nd.default,
            aten.pixel_shuffle.default,
            aten.channel_shuffle.default,
            aten.relu.default,
        }
    )
)

#: read no more than the shape, dtype or device of their input
SHAPE_READERS = frozenset(
    {
        aten.sym_size.int,
        aten.new_zeros.default,
        aten.new_ones.default,
        aten.new_full.default,
        aten.new_empty.default,
        aten.zeros_like.default,
        aten.ones_like.default,
        aten.full_like.default,
    }
)

SOFTMAXES = frozenset({aten.softmax.int, aten.log_softmax.int})

#: lie between the product that scores attention and its softmax
SCORING = (
    ELEMENTWISE
    | VIEWS
    | frozenset(
        {
            aten.reshape.default,
            aten.contiguous.default,
            aten.masked_fill.Scalar,
            aten.masked_fill.Tensor,
            aten.where.self,
            aten.clamp.default,
        }
    )
)
