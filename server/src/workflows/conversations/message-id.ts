const MAX_ID = 2n ** 63n - 1n

/** Whether a message may have this id. */
export const isMessageId = (text: string): boolean => /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_ID
