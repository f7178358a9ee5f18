// A phone's picture: from the camera where the browser gives it to a page, else from a file. Its middle square goes out.

const SIDE = 224; // of what is sent
const QUALITY = 0.85;

export function canStream() { // browsers give pages a camera over https and on the machine itself alone
  return Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia);
}

export async function stream(video) {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" }, audio: false });
  await video.play();
  return () => video.srcObject?.getTracks().forEach((track) => track.stop());
}

export async function ofFile(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    return await square(picture, picture.width, picture.height);
  } finally {
    picture.close();
  }
}

export function ofVideo(video) {
  return square(video, video.videoWidth, video.videoHeight);
}

function square(picture, width, height) {
  const side = Math.min(width, height);
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/jpeg", QUALITY);
  });
}
