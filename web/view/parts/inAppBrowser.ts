/**
 * True in the browser of another app, by its user agent. Its storage is its own, is often emptied, and cannot be reached from
 * the person's browser: an account that is made there is soon lost.
 */
export function isInAppBrowser(userAgent: string): boolean {
  return APPS.test(userAgent);
}

/** In this order: Tencent, LINE, Kakao, Meta, ByteDance, Weibo, Alipay, DingTalk, Lark, and others by their names. */
const APPS =
  /MicroMessenger|\bQQ\/|\bLine\/|KAKAOTALK|FBA[NV]|FB_IAB|Instagram|Barcelona|TikTok|musical_ly|Bytedance|aweme|Weibo|AlipayClient|DingTalk|\bLark\/|Snapchat|LinkedInApp|Pinterest\/|Twitter for|Zalo/i;
