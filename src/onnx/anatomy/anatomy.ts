/** The attention of one layer, over heads. */
export interface AttentionMap {
  /** The value after its Softmax: float32 [batch, heads, queries, keys]. */
  readonly probabilities: string;
  readonly heads: number;
  /** As of hidden states. */
  readonly frames?: number;
  /** The values that are attended to, float32 [batch, heads, keys, width], where they could be found. */
  readonly values?: string;
}

/** What one layer of a model gives: a vector for each token, or an image for each channel. */
export interface ModelLayer {
  /** For people: `layer_3`, `stage_2/block_1`; unique in its model. */
  readonly name: string;
  /** float32 [batch, sequence, width]. */
  readonly hidden?: {
    readonly name: string;
    readonly width: number;
    /** How many there are for a sample, of a model that listens: it has frames of its own length in the place of tokens. */
    readonly frames?: number;
  };
  readonly attention?: AttentionMap;
  /** float32 [batch, channels, height, width]. */
  readonly features?: {
    readonly name: string;
    readonly channels: number;
    readonly height: number;
    readonly width: number;
    /** Whether the next layer has another size: the last of its scale. */
    readonly endsStage: boolean;
  };
}

/** What a model is made of, as far as its graph tells: found without being told, whoever exported it. */
export interface ModelAnatomy {
  readonly family: 'transformer' | 'convolutional' | 'other';
  /** From the input to the output. */
  readonly layers: readonly ModelLayer[];
  /**
   * What attributions are told of: the pixels, float32 [batch, channels, height, width], the embeddings of the tokens,
   * float32 [batch, sequence, width], or the waveform, float32 [batch, samples]; undefined where none was found.
   */
  readonly features?: string;
  /** float32 [batch, classes], where there is one. */
  readonly logits?: string;
}
