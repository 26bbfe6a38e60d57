const AWS = require('aws-sdk');
// Your credentials from KloudBean
const ENDPOINT_URL = "your-endpoint-url";
const BUCKET_NAME = "your-bucket-name";
const ACCESS_KEY_ID = "your-access-key-id";
const SECRET_ACCESS_KEY = "your-secret-access-key";
// Create S3 client
const s3 = new AWS.S3({
endpoint: ENDPOINT_URL,
accessKeyId: ACCESS_KEY_ID,
secretAccessKey: SECRET_ACCESS_KEY
});
// List objects in bucket
console.log("Listing objects in bucket:");
s3.listObjectsV2({ Bucket: BUCKET_NAME }, (err, data) => {
if (err) {
console.error("Error:", err);
} else {
data.Contents.forEach(obj => {
console.log(` - ${obj.Key}`);
});
}
});
// Upload a file
const fs = require('fs');
const fileContent = fs.readFileSync('local-file.txt');
const uploadParams = {
Bucket: BUCKET_NAME,
Key: 'uploaded-file.txt',
Body: fileContent
};
s3.upload(uploadParams, (err, data) => {
if (err) {
console.error("Upload error:", err);
} else {
console.log("File uploaded successfully!");
}
});
// Download a file
const downloadParams = {
Bucket: BUCKET_NAME,
Key: 'uploaded-file.txt'
};
s3.getObject(downloadParams, (err, data) => {
if (err) {
console.error("Download error:", err);
} else {
fs.writeFileSync('downloaded-file.txt', data.Body);
console.log("File downloaded successfully!");
}
});
