/** The mark of the product; its name stands beside it or is given by `aria-label` of what it is in. */
export function BrandMark({ size = 28 }: { size?: number }) {
  return <img src="/favicon.svg" alt="" width={size} height={size} />
}
