require('dotenv').config();
const AWS = require('aws-sdk');
// Get credentials from environment variables
const s3 = new AWS.S3({
endpoint: process.env.AWS_ENDPOINT_URL,
accessKeyId: process.env.AWS_ACCESS_KEY_ID,
secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY
});
// Use the client
const bucketName = process.env.BUCKET_NAME;
s3.listObjectsV2({ Bucket: bucketName }, (err, data) => {
// Handle response
});
