/** Time as the product sees it; tests pass their own. */
export type Clock = () => number

/** Milliseconds since 1970. */
export const systemClock: Clock = () => Date.now()
