"""The local rewrites, in the order in which they are tried: what drops a node first, then what merges two."""

from __future__ import annotations

from freezer.rules.axes import (
    gather_before_transpose,
    reshape_before_transpose,
    reshape_instead_of_transposes,
    slice_instead_of_gather,
    transpose_before_reshape,
)
from freezer.rules.broadcasts import drop_leading_ones, skip_expand_before_broadcast
from freezer.rules.casts import drop_cast_to_same_type, skip_lossless_cast
from freezer.rules.convolution import add_inside_convolution, pad_inside_convolution
from freezer.rules.copies import drop_dropout, drop_identity
from freezer.rules.forms import (
    cast_instead_of_cast_like,
    drop_allowzero,
    merge_unsqueezes,
    split_instead_of_sequence,
)
from freezer.rules.fusions import (
    add_to_bias,
    gemm_instead_of_matmul,
    normalise_inside_product,
    scale_weight_instead_of_input,
    scale_weight_instead_of_output,
)
from freezer.rules.joins import (
    concat_instead_of_stack,
    drop_concat_of_split,
    drop_empty_operands,
    drop_join_of_one,
    drop_split_into_one,
    merge_nested_concat,
)
from freezer.rules.kept_axes import gather_by_reshaped_indices, reduce_to_the_right_rank
from freezer.rules.layout import (
    drop_empty_pad,
    drop_identity_transpose,
    drop_reshape_to_same_shape,
    drop_whole_gather,
    drop_whole_slice,
    merge_reshapes,
    merge_transposes,
    reshape_instead_of_transpose,
)
from freezer.rules.logic import (
    choose_known_side,
    choose_known_side_of_floats,
    drop_bound_that_cannot_bite,
    drop_neutral_truth,
    drop_repeated_operand,
    swap_sides_of_negation,
    take_decisive_truth,
)
from freezer.rules.neutral import (
    drop_added_positive_zero,
    drop_added_zero,
    drop_double_negation,
    drop_one,
    drop_power_of_one,
    drop_subtracted_zero,
    multiply_by_zero,
)
from freezer.rules.normalise import scale_and_shift_instead_of_statistics
from freezer.rules.padding import pad_instead_of_concat
from freezer.rules.recurrent import omit_zero_state
from freezer.rules.registry import Rule
from freezer.rules.reshapes import drop_reshape_before_reshape
from freezer.rules.sequences import concat_of_known_sequence, element_of_known_sequence, length_of_known_sequence
from freezer.rules.slices import gather_instead_of_slice, merge_slices
from freezer.rules.splits import (
    concat_instead_of_reversal,
    drop_split_of_concat,
    split_before_reversal,
    split_instead_of_slices,
)
from freezer.rules.targets import constant_expand_target, constant_reshape_target
from freezer.rules.transposes import drop_transpose_after_transpose

RULES: tuple[Rule, ...] = (
    drop_identity,
    drop_dropout,
    drop_cast_to_same_type,
    cast_instead_of_cast_like,
    drop_one,
    drop_subtracted_zero,
    drop_added_zero,
    drop_double_negation,
    choose_known_side,
    swap_sides_of_negation,
    drop_neutral_truth,
    take_decisive_truth,
    drop_repeated_operand,
    drop_bound_that_cannot_bite,
    drop_reshape_to_same_shape,
    drop_allowzero,
    drop_whole_slice,
    drop_whole_gather,
    drop_empty_pad,
    drop_identity_transpose,
    drop_join_of_one,
    drop_empty_operands,
    drop_concat_of_split,
    drop_split_into_one,
    drop_split_of_concat,
    skip_expand_before_broadcast,
    drop_leading_ones,
    skip_lossless_cast,
    constant_reshape_target,
    constant_expand_target,
    drop_reshape_before_reshape,
    merge_transposes,
    reshape_instead_of_transpose,
    merge_unsqueezes,
    merge_reshapes,
    reshape_before_transpose,
    transpose_before_reshape,
    concat_instead_of_stack,
    reshape_instead_of_transposes,
    reduce_to_the_right_rank,
    gather_by_reshaped_indices,
    gather_before_transpose,
    slice_instead_of_gather,
    merge_slices,
    gather_instead_of_slice,
    merge_nested_concat,
    drop_transpose_after_transpose,
    pad_instead_of_concat,
    add_inside_convolution,
    pad_inside_convolution,
    omit_zero_state,
    split_before_reversal,
    concat_instead_of_reversal,
    split_instead_of_slices,
    split_instead_of_sequence,
    element_of_known_sequence,
    length_of_known_sequence,
    concat_of_known_sequence,
    drop_added_positive_zero,
    drop_power_of_one,
    multiply_by_zero,
    choose_known_side_of_floats,
    gemm_instead_of_matmul,
    add_to_bias,
    scale_weight_instead_of_output,
    scale_weight_instead_of_input,
    normalise_inside_product,
    scale_and_shift_instead_of_statistics,
)

BY_OP: dict[tuple[str, str], list[Rule]] = {}
for _rule in RULES:
    for _op in _rule.ops:
        BY_OP.setdefault((_rule.domain, _op), []).append(_rule)
