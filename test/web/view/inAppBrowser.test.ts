import { expect, test } from 'vitest';
import { isInAppBrowser } from '../../../web/view/parts/inAppBrowser.ts';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko)';
const WEBVIEW = 'Mozilla/5.0 (Linux; Android 13; V2171A; wv) AppleWebKit/537.36 (KHTML, like Gecko)';

test.each([
  ['WeChat, iOS', `${IPHONE} Mobile/15E148 MicroMessenger/8.0.49(0x1800312d) NetType/WIFI Language/zh_CN`],
  [
    'WeChat, Android',
    `${WEBVIEW} Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560 WeChat/arm64`,
  ],
  ['QQ', `${IPHONE} Mobile/15E148 QQ/9.0.35.603 V1_IPH_SQ_9.0.35_1_APP_A Pixel/1170`],
  ['LINE, iOS', `${IPHONE} Mobile/15E148 Safari Line/14.8.0`],
  ['LINE, Android', `${WEBVIEW} Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 Line/14.8.1/IAB`],
  ['KakaoTalk', `${WEBVIEW} Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 KAKAOTALK/10.8.3 (INAPP)`],
  [
    'Facebook, iOS',
    `${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/466.0.0.46.109;FBBV/604034000;FBDV/iPhone14,5]`,
  ],
  [
    'Facebook, Android',
    `${WEBVIEW} Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/465.0.0.55.81;]`,
  ],
  ['Messenger', `${IPHONE} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/460.0.0.35.110]`],
  ['Instagram', `${IPHONE} Mobile/15E148 Instagram 334.0.0.21.103 (iPhone14,5; iOS 17_5; en_US)`],
  ['Threads', `${IPHONE} Mobile/15E148 Barcelona 333.0.0.38.109 (iPhone14,5; iOS 17_5; en_US)`],
  [
    'TikTok',
    `${IPHONE} Mobile/15E148 musical_ly_34.8.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en`,
  ],
  [
    'TikTok, Android',
    `${WEBVIEW} Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 trill_340803 BytedanceWebview/d8a21c6`,
  ],
  ['Douyin', `${IPHONE} Mobile/15E148 aweme_30.2.0 JsSdk/2.0 NetType/WIFI`],
  ['Weibo', `${IPHONE} Mobile/15E148 Weibo (iPhone14,5__weibo__14.5.1__iphone__os17.5)`],
  [
    'Alipay',
    `${IPHONE} Mobile/15E148 NebulaSDK/1.8.100112 Nebula AlipayDefined(nt:WIFI) AlipayClient/10.5.96`,
  ],
  ['DingTalk', `${IPHONE} Mobile/15E148 AliApp(DingTalk/7.5.20) com.laiwang.DingTalk/36250115`],
  ['Lark', `${IPHONE} Mobile/15E148 Safari/604.1 Lark/7.18.5 LarkLocale/en_US`],
  ['Snapchat', `${IPHONE} Version/17.5 Mobile/15E148 Snapchat/12.88.0.41 (like Safari/8618.2.12, panda)`],
  ['LinkedIn', `${IPHONE} Mobile/15E148 [LinkedInApp]/9.29.7573`],
  ['Pinterest', `${IPHONE} Mobile/15E148 [Pinterest/iOS]`],
  ['X', `${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1 Twitter for iPhone/10.44`],
  ['Zalo', `${IPHONE} Mobile/15E148 Zalo iOS/24050101 ZaloTheme/light ZaloLanguage/vn`],
])('%s is the browser of another app', (_, userAgent) => {
  expect(isInAppBrowser(userAgent)).toBe(true);
});

test.each([
  ['Safari, iOS', `${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1`],
  ['an app on the home screen of iOS', `${IPHONE} Mobile/15E148`],
  ['Chrome, iOS', `${IPHONE} CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1`],
  ['Firefox, iOS', `${IPHONE} FxiOS/126.0 Mobile/15E148 Safari/605.1.15`],
  ['Chrome, Android', `${ANDROID} Chrome/125.0.0.0 Mobile Safari/537.36`],
  ['Samsung Internet', `${ANDROID} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`],
  [
    'QQ Browser, which is a browser',
    `${ANDROID} Version/4.0 Chrome/109.0.5414.86 MQQBrowser/14.9 Mobile Safari/537.36`,
  ],
  ['UC Browser', `${ANDROID} Version/4.0 Chrome/123.0.6312.80 UCBrowser/16.8.1 Mobile Safari/537.36`],
  [
    'Edge',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0',
  ],
  ['Firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0'],
  [
    'Safari, Mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  ],
])('%s is a browser', (_, userAgent) => {
  expect(isInAppBrowser(userAgent)).toBe(false);
});
