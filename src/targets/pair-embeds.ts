/** The values that hold a pair's vectors, as CLIP's exports name them: float32 [batch, width]. */
export const TEXT_EMBEDS = 'text_embeds';
export const IMAGE_EMBEDS = 'image_embeds';
