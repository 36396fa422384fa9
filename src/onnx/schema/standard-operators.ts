/**
 * Which inputs and attributes each standard operator has: `NAME SINCE LEAST..MOST ATTRIBUTES; SINCE ...`, from opset 7 to 24; `-`
 * where it was taken out. Written by scripts/standard-operators.py out of the schemas of onnx 1.23.
 */
export const STANDARD_OPERATORS = `
Abs 6 1..1
Acos 7 1..1
Acosh 9 1..1
Add 7 2..2
AffineGrid 20 2..2 align_corners
And 7 2..2
ArgMax 1 1..1 axis,keepdims; 12 1..1 axis,keepdims,select_last_index
ArgMin 1 1..1 axis,keepdims; 12 1..1 axis,keepdims,select_last_index
Asin 7 1..1
Asinh 9 1..1
Atan 7 1..1
Atanh 9 1..1
Attention 23 3..6 is_causal,kv_num_heads,q_num_heads,qk_matmul_output_mode,scale,softcap,softmax_precision; 24 3..7 is_causal,kv_num_heads,q_num_heads,qk_matmul_output_mode,scale,softcap,softmax_precision
AveragePool 7 1..1 auto_pad,count_include_pad,kernel_shape,pads,strides; 10 1..1 auto_pad,ceil_mode,count_include_pad,kernel_shape,pads,strides; 19 1..1 auto_pad,ceil_mode,count_include_pad,dilations,kernel_shape,pads,strides
BatchNormalization 7 5..5 epsilon,momentum,spatial; 9 5..5 epsilon,momentum; 14 5..5 epsilon,momentum,training_mode
Bernoulli 15 1..1 dtype,seed
BitShift 11 2..2 direction
BitwiseAnd 18 2..2
BitwiseNot 18 1..1
BitwiseOr 18 2..2
BitwiseXor 18 2..2
BlackmanWindow 17 1..1 output_datatype,periodic
Cast 6 1..1 to; 19 1..1 saturate,to; 24 1..1 round_mode,saturate,to
CastLike 15 2..2; 19 2..2 saturate; 24 2..2 round_mode,saturate
Ceil 6 1..1
Celu 12 1..1 alpha
CenterCropPad 18 2..2 axes
Clip 6 1..1 max,min; 11 1..3
Col2Im 18 3..3 dilations,pads,strides
Compress 9 2..2 axis
Concat 4 1.. axis
ConcatFromSequence 11 1..1 axis,new_axis
Constant 1 0..0 value; 11 0..0 sparse_value,value; 12 0..0 sparse_value,value,value_float,value_floats,value_int,value_ints,value_string,value_strings
ConstantOfShape 9 1..1 value
Conv 1 2..3 auto_pad,dilations,group,kernel_shape,pads,strides
ConvInteger 10 2..4 auto_pad,dilations,group,kernel_shape,pads,strides
ConvTranspose 1 2..3 auto_pad,dilations,group,kernel_shape,output_padding,output_shape,pads,strides
Cos 7 1..1
Cosh 9 1..1
CumSum 11 2..2 exclusive,reverse
DFT 17 1..2 axis,inverse,onesided; 20 1..3 inverse,onesided
DeformConv 19 3..5 dilations,group,kernel_shape,offset_group,pads,strides
DepthToSpace 1 1..1 blocksize; 11 1..1 blocksize,mode
DequantizeLinear 10 2..3; 13 2..3 axis; 21 2..3 axis,block_size; 23 2..3 axis,block_size,output_dtype
Det 11 1..1
Div 7 2..2
Dropout 7 1..1 ratio; 12 1..3 seed
DynamicQuantizeLinear 11 1..1
Einsum 12 1.. equation
Elu 6 1..1 alpha
Equal 7 2..2
Erf 9 1..1
Exp 6 1..1
Expand 8 2..2
EyeLike 9 1..1 dtype,k
Flatten 1 1..1 axis
Floor 6 1..1
GRU 7 3..6 activation_alpha,activation_beta,activations,clip,direction,hidden_size,linear_before_reset; 14 3..6 activation_alpha,activation_beta,activations,clip,direction,hidden_size,layout,linear_before_reset
Gather 1 2..2 axis
GatherElements 11 2..2 axis
GatherND 11 2..2; 12 2..2 batch_dims
Gelu 20 1..1 approximate
Gemm 7 3..3 alpha,beta,transA,transB; 11 2..3 alpha,beta,transA,transB
GlobalAveragePool 1 1..1
GlobalLpPool 2 1..1 p
GlobalMaxPool 1 1..1
Greater 7 2..2
GreaterOrEqual 12 2..2
GridSample 16 2..2 align_corners,mode,padding_mode
GroupNormalization 18 -; 21 3..3 epsilon,num_groups,stash_type
HammingWindow 17 1..1 output_datatype,periodic
HannWindow 17 1..1 output_datatype,periodic
HardSigmoid 6 1..1 alpha,beta
HardSwish 14 1..1
Hardmax 1 1..1 axis
Identity 1 1..1
If 1 1..1 else_branch,then_branch
ImageDecoder 20 1..1 pixel_format
InstanceNormalization 6 3..3 epsilon
IsInf 10 1..1 detect_negative,detect_positive
IsNaN 9 1..1
LRN 1 1..1 alpha,beta,bias,size
LSTM 7 3..8 activation_alpha,activation_beta,activations,clip,direction,hidden_size,input_forget; 14 3..8 activation_alpha,activation_beta,activations,clip,direction,hidden_size,input_forget,layout
LayerNormalization 17 2..3 axis,epsilon,stash_type
LeakyRelu 6 1..1 alpha
Less 7 2..2
LessOrEqual 12 2..2
Log 6 1..1
LogSoftmax 1 1..1 axis
Loop 1 3.. body; 11 2.. body
LpNormalization 1 1..1 axis,p
LpPool 2 1..1 auto_pad,kernel_shape,p,pads,strides; 18 1..1 auto_pad,ceil_mode,dilations,kernel_shape,p,pads,strides
MatMul 1 2..2
MatMulInteger 10 2..4
Max 6 1..
MaxPool 1 1..1 auto_pad,kernel_shape,pads,strides; 8 1..1 auto_pad,kernel_shape,pads,storage_order,strides; 10 1..1 auto_pad,ceil_mode,dilations,kernel_shape,pads,storage_order,strides
MaxRoiPool 1 2..2 pooled_shape,spatial_scale
MaxUnpool 9 2..3 kernel_shape,pads,strides
Mean 6 1..
MeanVarianceNormalization 9 1..1 axes
MelWeightMatrix 17 5..5 output_datatype
Min 6 1..
Mish 18 1..1
Mod 10 2..2 fmod
Mul 7 2..2
Multinomial 7 1..1 dtype,sample_size,seed
Neg 6 1..1
NegativeLogLikelihoodLoss 12 2..3 ignore_index,reduction
NonMaxSuppression 10 2..5 center_point_box
NonZero 9 1..1
Not 1 1..1
OneHot 9 3..3 axis
Optional 15 0..1 type
OptionalGetElement 15 1..1
OptionalHasElement 15 1..1; 18 0..1
Or 7 2..2
PRelu 7 2..2
Pad 2 1..1 mode,pads,value; 11 2..3 mode; 18 2..4 mode
Pow 7 2..2
QLinearConv 10 8..9 auto_pad,dilations,group,kernel_shape,pads,strides
QLinearMatMul 10 8..8
QuantizeLinear 10 2..3; 13 2..3 axis; 19 2..3 axis,saturate; 21 2..3 axis,block_size,output_dtype,saturate; 23 2..3 axis,block_size,output_dtype,precision,saturate
RMSNormalization 23 2..2 axis,epsilon,stash_type
RNN 7 3..6 activation_alpha,activation_beta,activations,clip,direction,hidden_size; 14 3..6 activation_alpha,activation_beta,activations,clip,direction,hidden_size,layout
RandomNormal 1 0..0 dtype,mean,scale,seed,shape
RandomNormalLike 1 1..1 dtype,mean,scale,seed
RandomUniform 1 0..0 dtype,high,low,seed,shape
RandomUniformLike 1 1..1 dtype,high,low,seed
Range 11 3..3
Reciprocal 6 1..1
ReduceL1 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceL2 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceLogSum 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceLogSumExp 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceMax 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceMean 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceMin 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceProd 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
ReduceSum 1 1..1 axes,keepdims; 13 1..2 keepdims,noop_with_empty_axes
ReduceSumSquare 1 1..1 axes,keepdims; 18 1..2 keepdims,noop_with_empty_axes
RegexFullMatch 20 1..1 pattern
Relu 6 1..1
Reshape 5 2..2; 14 2..2 allowzero
Resize 10 2..2 mode; 11 3..4 coordinate_transformation_mode,cubic_coeff_a,exclude_outside,extrapolation_value,mode,nearest_mode; 13 1..4 coordinate_transformation_mode,cubic_coeff_a,exclude_outside,extrapolation_value,mode,nearest_mode; 18 1..4 antialias,axes,coordinate_transformation_mode,cubic_coeff_a,exclude_outside,extrapolation_value,keep_aspect_ratio_policy,mode,nearest_mode
ReverseSequence 10 2..2 batch_axis,time_axis
RoiAlign 10 3..3 mode,output_height,output_width,sampling_ratio,spatial_scale; 16 3..3 coordinate_transformation_mode,mode,output_height,output_width,sampling_ratio,spatial_scale
RotaryEmbedding 23 3..4 interleaved,num_heads,rotary_embedding_dim
Round 11 1..1
STFT 17 2..4 onesided
Scan 8 2.. body,directions,num_scan_inputs; 9 1.. body,num_scan_inputs,scan_input_axes,scan_input_directions,scan_output_axes,scan_output_directions
Scatter 9 3..3 axis; 11 -
ScatterElements 11 3..3 axis; 16 3..3 axis,reduction
ScatterND 11 3..3; 16 3..3 reduction
Selu 6 1..1 alpha,gamma
SequenceAt 11 2..2
SequenceConstruct 11 1..
SequenceEmpty 11 0..0 dtype
SequenceErase 11 1..2
SequenceInsert 11 2..3
SequenceLength 11 1..1
SequenceMap 17 1.. body
Shape 1 1..1; 15 1..1 end,start
Shrink 9 1..1 bias,lambd
Sigmoid 6 1..1
Sign 9 1..1
Sin 7 1..1
Sinh 9 1..1
Size 1 1..1
Slice 1 1..1 axes,ends,starts; 10 3..5
Softmax 1 1..1 axis
SoftmaxCrossEntropyLoss 12 2..3 ignore_index,reduction
Softplus 1 1..1
Softsign 1 1..1
SpaceToDepth 1 1..1 blocksize
Split 2 1..1 axis,split; 13 1..2 axis; 18 1..2 axis,num_outputs
SplitToSequence 11 1..2 axis,keepdims
Sqrt 6 1..1
Squeeze 1 1..1 axes; 13 1..2
StringConcat 20 2..2
StringNormalizer 10 1..1 case_change_action,is_case_sensitive,locale,stopwords
StringSplit 20 1..1 delimiter,maxsplit
Sub 7 2..2
Sum 6 1..
Swish 24 1..1 alpha
Tan 7 1..1
Tanh 6 1..1
TensorScatter 24 2..3 axis,mode
TfIdfVectorizer 9 1..1 max_gram_length,max_skip_count,min_gram_length,mode,ngram_counts,ngram_indexes,pool_int64s,pool_strings,weights
ThresholdedRelu 10 1..1 alpha
Tile 6 2..2
TopK 1 1..1 axis,k; 10 2..2 axis; 11 2..2 axis,largest,sorted
Transpose 1 1..1 perm
Trilu 14 1..2 upper
Unique 11 1..1 axis,sorted
Unsqueeze 1 1..1 axes; 13 2..2
Upsample 7 1..1 mode,scales; 9 2..2 mode; 10 -
Where 9 3..3
Xor 7 2..2
`;
