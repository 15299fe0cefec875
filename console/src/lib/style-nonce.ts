/** The nonce of this page, which the server puts into `index.html` and its content security policy. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

/**
 * Several libraries add `<style>` elements, and not all can be told the nonce. Every one that a script makes gets it here; markup that
 * somebody smuggles into the page does not pass through `createElement` and stays without.
 */
export function giveStylesTheNonce(): void {
  if (styleNonce === '') return
  type Create = (name: string, options?: ElementCreationOptions) => HTMLElement
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- of its shapes, the one for names that are no elements is
  const create: Create = document.createElement.bind(document)
  const createWithNonce: Create = (name, options) => {
    const element = create(name, options)
    if (element instanceof HTMLStyleElement) element.nonce = styleNonce
    return element
  }
  Object.defineProperty(document, 'createElement', { value: createWithNonce, configurable: true, writable: true })
}
